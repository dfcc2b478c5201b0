# worker_watchdog: a worker that is stopped between two turns of its loop still has its clients and is given new ones; after
# the time for a turn it is killed, and another one serves those that wait.  One that goes on before that is left.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a worker that is stopped is replaced')->needs_weir;
my $conf = "server { location / { return 200 '\$pid'; } }";
$w->conf($conf, workers => 1, main => 'worker_watchdog 1s;');
$w->start;
$w->workers_may_change->allow_log(qr/is stopped for more than|exited on signal 9/);

my $pid = $w->get('/')->body;
for my $time (1 .. 3) {
    $w->stop_workers;
    my $client = $w->client->send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    $w->continue_workers;
    is $client->read_response->body, $pid, "$time: a stop that ends is nothing";
}
$w->stop_workers;
my @waiting = map { $w->client->send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") } 1 .. 5;
my @served  = map { $_->read_response->body } @waiting;
is_deeply [ grep { $_ eq $pid } @served ], [], 'those that came meanwhile are served by another one';
$w->wait_for_log(qr/\[alert\] .*worker process $pid is stopped for more than 1000 ms \(worker_watchdog\): it is killed\n/);

# off: as long as it takes.
$w->reload($conf, main => 'worker_watchdog off;');
$pid = $w->get('/')->body;
my $mark = length $w->error_log;
$w->stop_workers;
my $client = $w->client->send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
select undef, undef, undef, 1.5;            # nothing happens: there is no event to wait for
unlike substr($w->error_log, $mark), qr/worker_watchdog/, 'with off it is left alone';
$w->continue_workers;
is $client->read_response->body, $pid, 'and goes on';
done_testing;
