# access_log_flush 0: a request's line is in the file when its turn ends: a worker that is killed right after the answer loses nothing.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a line of the access log can be written at once')->needs_weir;
$w->workers_may_change->allow_log(qr/exited on signal 9/);
for my $flush ('0', '1m') {
    $w->conf("access_log_flush $flush; log_format u '\$uri'; access_log logs/access-$flush.log u; server { location / { return 200 \$pid; } }", workers => 1);
    $w->start;
    my $client = $w->client;
    my $pid    = $client->get('/first')->body;
    $client->get("/$_") for 1 .. 50;
    $w->wait_for_access(qr{^/49$}m, 'access-0.log') if $flush eq '0';
    kill 'KILL', $pid;
    $w->wait_for_log(qr/worker process $pid exited on signal 9/);
    my $lines = () = $w->access_log("access-$flush.log") =~ m{^/\d+$}mg;
    cmp_ok $lines, '>=', 49, '0: every line but perhaps the last is there' if $flush eq '0';
    cmp_ok $lines, '<=', 1, 'a long time: they wait' if $flush eq '1m';
    $client->close;
    $w->stop;
}
done_testing;
