# Workers run as another user: a port below 1024 that a reload brings is opened by the master, and handed to them.
use v5.36;
use lib 't/lib';
use IO::Socket::INET;
use Weir::Test;

plan(skip_all => 'root only') if $> != 0;
my $w = Weir::Test->new('a privileged port is opened while it runs')->needs_weir->descriptors_may_stay;
# On an address of this machine that nobody else uses, a port that nobody has.
my ($port) = grep { IO::Socket::INET->new(LocalAddr => '127.13.0.7', LocalPort => $_, Listen => 1, ReuseAddr => 1) } 81, 601 .. 699;
plan(skip_all => 'no port below 1024 is free') unless $port;
my $default = "server { location / { return 200 '\$pid'; } }";
my $more    = "server { listen 127.13.0.7:$port; location / { return 200 '\$pid \$server_port'; } }";
$w->conf($default, main => "user nobody nogroup;\n", workers => 2);
$w->start;
my @before = $w->workers;
for my $worker (@before) {
    my @ids = Weir::Server::slurp("/proc/$worker/status") =~ /^Uid:\s+(\d+)\s+(\d+)/m;
    is "@ids", join(' ', (getpwnam 'nobody')[ 2, 2 ]), 'a worker is nobody';
}
for my $round (1 .. 2) {
    $w->reload("$default $more");
    my %seen;
    $w->wait_until('both workers serve there', sub {
        my $client = Weir::Client->open(host => '127.13.0.7', port => $port);
        my ($pid, $on) = split / /, $client->send_request('GET', '/', headers => [ 'Connection', 'close' ])->read_response->body;
        $client->close;
        $seen{$pid} = $on;
        return keys %seen == 2;
    });
    is_deeply [ sort keys %seen ], [ sort @before ], "round $round: both workers of before serve it";
    is_deeply [ values %seen ], [ $port, $port ], 'at its port';
    $w->reload($default);
    $w->wait_until('it is closed', sub { !IO::Socket::INET->new(PeerAddr => '127.13.0.7', PeerPort => $port) });
}

done_testing;
