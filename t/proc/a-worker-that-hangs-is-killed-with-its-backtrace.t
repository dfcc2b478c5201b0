# worker_watchdog: a worker in one turn of its loop for too long is killed and replaced, and the log says where it hung.
use v5.36;
use lib 't/lib';
use Weir::Hang;
use Weir::Test;

needs('cc');
my $w = Weir::Test->new('a worker that hangs is killed with its backtrace')->needs_weir;

Weir::Hang::set($w);
my $conf = "server { location / { root files; } location = /pid { return 200 '\$pid'; } }";
$w->conf($conf, workers => 1, main => 'worker_watchdog 400ms;');
$w->start;
$w->workers_may_change->allow_log(qr/is in one turn of its loop for more than|exited on signal 6/);

my $pid = $w->get('/pid')->body;
my $stuck = $w->client->send("GET /hang-here HTTP/1.1\r\nHost: a\r\n\r\n");
$w->wait_for_log(qr/\[alert\] .*worker process $pid is in one turn of its loop for more than 400 ms \(worker_watchdog\): it is killed/);
$w->wait_for_log(qr/worker process $pid exited on signal 6/);
like $w->error_log, qr/^backtrace of worker process $pid\n(?:.*\(.*\)\[0x.*\n){4,}/m, 'the log says where it hung';
like $w->error_log, qr{^\S*hang\.so\(}m, 'which is in the trap';
$w->wait_until('a successor serves', sub { my $answer = eval { $w->get('/pid') }; $answer && $answer->body ne $pid });
is $w->get('/good')->body, 'x', 'and serves files';
$stuck->close;

# off: as long as it takes.
$w->reload($conf, main => 'worker_watchdog off;');
$pid = $w->get('/pid')->body;
my $mark = length $w->error_log;
$stuck = $w->client->send("GET /hang-here HTTP/1.1\r\nHost: a\r\n\r\n");
select undef, undef, undef, 1.2;            # nothing happens: there is no event to wait for
unlike substr($w->error_log, $mark), qr/worker_watchdog/, 'with off it is left alone';
kill 'KILL', $pid;
$w->allow_log(qr/exited on signal 9/);
$w->wait_until('a successor serves', sub { my $answer = eval { $w->get('/pid') }; $answer && $answer->body ne $pid });
$stuck->close;
done_testing;
