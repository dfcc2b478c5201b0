# One address of this machine becomes all of them and one again, and IPv6 joins: whoever connects to the one all the time is always answered.
use v5.36;
use lib 't/lib';
use IO::Socket::INET;
use IO::Socket::IP;
use Weir::Test;

my $w      = Weir::Test->new('an address may become wider or narrower')->needs_weir->descriptors_may_stay;
my $stop   = $w->dir . '/barrier.stop';
my $listen = sub ($body, @addresses) { "server { " . join(' ', map { "listen $_;" } @addresses) . " location / { return 200 '$body'; } }" };
my $has_v6 = IO::Socket::IP->new(LocalHost => '::1', Listen => 1) ? 1 : 0;
my $ask    = sub ($host) {
    my $client = Weir::Client->open(host => $host, port => $w->port);
    my $answer = $client->send_request('GET', '/', headers => [ 'Connection', 'close' ])->read_response;
    $client->close;
    return $answer->body;
};
$w->conf($listen->('one', '127.0.0.1:%%PORT%%'), workers => 2);
$w->start;
my @all = map {
    $w->child(sub {
        my $n = 0;
        until (-e $stop) { $ask->('127.0.0.1'); $n++ }
        print STDERR "answered $n\n";
    })
} 1 .. 3;
for my $round (1 .. 3) {
    $w->reload($listen->("all $round", '%%PORT%%', $has_v6 ? '[::]:%%PORT%%' : ()));
    is $ask->('127.0.0.1'), "all $round", 'an address becomes all addresses of its port';
    is $ask->('127.0.0.2'), "all $round", 'the others are served now';
    is $ask->('::1'), "all $round", 'and those of IPv6' if $has_v6;
    $w->reload($listen->("both $round", '%%PORT%%', '127.0.0.1:%%PORT%%'));
    is $ask->($_), "both $round", "one beside all of them: $_" for qw(127.0.0.1 127.0.0.2);
    $w->reload($listen->("one $round", '127.0.0.1:%%PORT%%'));
    is $ask->('127.0.0.1'), "one $round", 'and all become one';
    $w->wait_until('the others are refused', sub { !IO::Socket::INET->new(PeerAddr => '127.0.0.2', PeerPort => $w->port) });
}
$w->pass('stop');
for my $child (@all) {
    my (undef, $said) = $child->(30);
    like $said, qr/^answered [1-9]\d*$/, "nobody was lost: " . $said =~ s/\s+$//r;
}

done_testing;
