# With freebind an address is listened on that no interface has: when one gets it, it is served, and again when it has gone and come back.
# In a network of its own.
use v5.36;
use lib 't/lib';
use Weir::Test;

needs(qw(ip unshare));
plan(skip_all => 'root only') if $> != 0;
unless ($ENV{WEIR_TEST_OWN_NETWORK}) {
    plan(skip_all => 'no network of its own can be made') if system('unshare -n true 2>/dev/null') != 0;
    $ENV{WEIR_TEST_OWN_NETWORK} = 1;
    exec 'unshare', '-n', $^X, '-It/lib', $0 or die "unshare: $!\n";
}
system('ip link set lo up') == 0 or die "ip failed\n";

my $w     = Weir::Test->new('an address that comes later can be listened on')->needs_weir->descriptors_may_stay;
my $text  = sub (@more) { "server { listen 127.0.0.1:%%PORT%%; location / { return 200 ok; } }" . join '', map { "server { listen $_; location / { return 200 later; } }" } @more };
my %later = ('192.0.2.7' => '192.0.2.7:%%PORT_later%%', '2001:db8::7' => '[2001:db8::7]:%%PORT_later%%');
delete $later{'2001:db8::7'} unless IO::Socket::IP->new(LocalHost => '::1', Listen => 1);
my $ip = sub (@words) { system('ip', @words) == 0 or die "ip @words failed\n" };
my $ask = sub ($host) {
    my $client = Weir::Client->open(host => $host, port => $w->port('later'));
    my $body = $client->send_request('GET', '/', headers => [ 'Connection', 'close' ])->read_response->body;
    $client->close;
    return $body;
};
$w->allow_log(qr/"freebind" is for addresses/);
like +($w->check_conf("server { listen unix:/tmp/x freebind; }"))[1], qr/"freebind" is for addresses of IP/, 'a path is never another machine\'s';
$w->conf($text->(), workers => 2);
$w->start;
for my $address (sort keys %later) {
    $w->reload_refused($text->($later{$address}), qr/bind\(\) to \S+ failed \(99: Cannot assign requested address\)/);
    $w->reload($text->("$later{$address} freebind"));
    is $w->get('/')->body, 'ok', "$address is listened on before it is there";
    for my $time (1, 2) {
        $ip->('addr', 'add', $address . ($address =~ /:/ ? '/128' : '/32'), 'dev', 'lo', $address =~ /:/ ? 'nodad' : ());
        # The kernel makes the way to an address of IPv6 a moment after it.
        $w->wait_until("a way to $address", sub { IO::Socket::IP->new(PeerHost => $address, PeerPort => $w->port('later')) || $!{ENETUNREACH} == 0 });
        is $ask->($address), 'later', "it comes, time $time: it is served";
        $ip->('addr', 'del', $address . ($address =~ /:/ ? '/128' : '/32'), 'dev', 'lo');
    }
    $w->reload($text->("$later{$address} freebind"));
    $w->reload($text->());
}

done_testing;
