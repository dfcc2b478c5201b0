# New workers that cannot start are tried again with growing patience, and the old ones go on serving.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w = Weir::Test->new('old workers serve until new ones can')->needs_weir;
my $server = "server { location / { return 200 'ok'; } }";
$w->allow_log(qr/could not start|\[emerg\].*failed/)->workers_may_change->descriptors_may_stay;
$w->conf($server);
$w->start;
my @old = $w->workers;

$w->reload($server, main => 'worker_rlimit_nofile 4;', control => 0);
my @delays;
$w->wait_until('several tries were made', sub {
    @delays = $w->error_log =~ /could not start, the next try is in (\d+) ms/g;
    grep { $_ >= 80 } @delays;
});
is_deeply [ (sort { $a <=> $b } @delays)[ 0, 1 ] ], [ 10, 10 ], 'each of two workers is tried again after 10 ms';
ok !(grep { my $delay = $_; !grep { $_ == $delay } 10, 20, 40, 80, 160, 320, 640, 1280 } @delays), 'then after twice as much, and so on';
is $w->get('/')->body, 'ok', 'the old ones serve';
is_deeply [ grep { my $pid = $_; grep { $_ == $pid } @old } $w->workers ], \@old, 'all of them';
done_testing;
