# Workers are killed one after the other while a client asks without a pause, on a new connection each time: it loses at most the request that was
# in the killed worker, never waits for a worker that is down, and what is counted as under way is right at the end.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(time);
use Weir::Test;

my $w = Weir::Test->new('workers killed under load lose only their own requests')->needs_weir;
my $origin = $w->origin;
$w->conf(<<"END", workers => 3, control => 0);
    limit_conn_zone \$arg_k zone=conn:64k;
    server { status_zone main; location / { limit_conn conn 4; proxy_pass http://$origin; } location /status { status; } }
END
$w->start;
$w->workers_may_change->descriptors_may_stay->allow_log(qr/exited on signal 9/)->allow_bad;
my $kills = 12;
my $stop  = $w->dir . '/barrier.stop';
my $load  = $w->child(sub {
    my ($done, $failed, $slowest) = (0, 0, 0);
    until (-e $stop) {
        my $since = time;
        my $answer = eval { $w->get('/?k=a') };
        $answer && $answer->status == 200 ? $done++ : $failed++;
        $slowest = time - $since if time - $since > $slowest;
    }
    print STDERR "done $done failed $failed slowest $slowest\n";
});
for my $n (1 .. $kills) {
    $origin->wait_requests($origin->requests + 5);
    my ($victim) = ($w->workers)[ $n % 3 ] // ($w->workers)[0];
    kill 'KILL', $victim;
    $w->wait_for_log(qr/worker process $victim exited on signal 9/);
    $w->wait_until('three workers', sub { $w->workers == 3 });
}
$w->pass('stop');
my (undef, $said) = $load->(30);
my ($done, $failed, $slowest) = $said =~ /^done (\d+) failed (\d+) slowest (\S+)$/m or die $said;
cmp_ok $done, '>=', 5 * $kills, "$done requests were answered";
cmp_ok $failed, '<=', $kills, "$failed of them were in a worker that was killed: one each at most";
cmp_ok $slowest, '<', 4, 'nobody waited for one that was down';
$w->wait_until('nothing is under way but who asks', sub { decode_json($w->get('/status')->body)->{server_zones}{main}{processing} == 1 });
is_deeply [ map { $w->get('/?k=a')->status } 1 .. 5 ], [ (200) x 5 ], 'no place of the killed is taken for ever';
done_testing;
