# Whoever is connected when an address is no longer listened on is answered, be it that the kernel took the connection a moment before: an
# address comes and goes while clients connect to it without a pause, over TCP and through a file.
use v5.36;
use lib 't/lib';
use IO::Socket::INET;
use IO::Socket::UNIX;
use Weir::Test;

my $w    = Weir::Test->new('no connection is lost when an address goes')->needs_weir->descriptors_may_stay;
my $path = $w->dir . '/more.sock';
my $text = "server { location / { return 200 'default'; } }";
my $more = "server { listen 127.0.0.1:%%PORT_more%%; listen unix:$path; location / { return 200 'more'; } }";
my $stop = $w->dir . '/barrier.stop';
$w->conf("$text $more", workers => 2);
$w->start;

# Connects, asks when it is connected, and says how often it was answered, refused, and neither.
my $hammer = sub ($connect) {
    $w->child(sub {
        my %is = map { $_ => 0 } qw(answered refused lost);
        until (-e $stop) {
            my $fh = $connect->();
            unless ($fh) { $is{refused}++; select undef, undef, undef, 0.001; next }
            my $client = Weir::Client->new($fh);
            my $answer = eval { $client->send_request('GET', '/', headers => [ 'Connection', 'close' ])->read_response };
            $is{ $answer && $answer->body eq 'more' ? 'answered' : 'lost' }++;
            print STDERR "lost: $@" unless $answer;
            $client->close;
        }
        print STDERR map { "$_ $is{$_}\n" } sort keys %is;
    });
};
my @all = map { $hammer->(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $w->port('more')) }) } 1 .. 3;
push @all, $hammer->(sub { IO::Socket::UNIX->new(Peer => $path) });

for my $round (1 .. 12) {
    $w->reload($text);
    $w->reload("$text $more");
}
is $w->request('GET', '/', port => 'more')->body, 'more', 'it is served in the end';
$w->pass('stop');
for my $i (0 .. $#all) {
    my (undef, $said) = $all[$i]->(30);
    my %is = $said =~ /^(\w+) (\d+)$/mg;
    ok $is{answered}, ($i < 3 ? 'TCP' : 'a file') . ": $is{answered} were answered, $is{refused} refused";
    is $is{lost}, 0, 'and none was lost' or diag $said;
}

done_testing;
