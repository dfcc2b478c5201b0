# One worker's loop stands still for 5 s (worker_watchdog 5s): it is killed then, not before, with its stack in the log; the other one serves all
# the while, and what both share (limits, statistics, the store) holds nobody up.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Hang;
use Weir::Test;

needs('cc');
my $w = Weir::Test->new('a loop that stalls for 5 s is killed and no other worker waits')->needs_weir;
Weir::Hang::set($w);
$w->conf(<<'END', workers => 2, main => "worker_watchdog 5s;\nstore_path store;\n");
    limit_req_zone $remote_addr zone=r:1m rate=10000r/s;
    quota_zone $remote_addr zone=q:1m per=day;
    server {
        location / { root files; }
        location = /pid { limit_req zone=r burst=10000 nodelay; quota zone=q limit=1000000; default_type text/plain; add_header X-Pid $pid; empty_gif; }
    }
END
$w->start;
$w->workers_may_change->allow_log(qr/is in one turn of its loop for more than|exited on signal 6/);
my %before = map { $_ => 1 } $w->workers;
my $began  = time;
my $stuck  = $w->client->send("GET /hang-here HTTP/1.1\r\nHost: a\r\n\r\n");
# Connections that the hanging one was given wait until it is replaced; those of the other one do not.
my (%served, $slowest, $unanswered);
while (time - $began < 4.5) {
    my $client = $w->client;
    my $asked  = time;
    $client->send("GET /pid HTTP/1.1\r\nHost: a\r\n\r\n");
    vec(my $bits = '', fileno $client->fh, 1) = 1;
    vec($bits, fileno $client->fh, 1) = 1;
    if (select $bits, undef, undef, 0.1) {
        my $answer = $client->read_response;
        $served{ $answer->header('X-Pid') }++;
        $slowest = time - $asked if time - $asked > ($slowest // 0);
    } else {
        $unanswered++;
    }
    $client->close;
}
is scalar(keys %served), 1, 'the other worker serves';
cmp_ok((values %served)[0] // 0, '>=', 5, 'again and again');
is scalar(grep { $before{$_} } $w->workers), 2, 'before 5 s nobody is killed';
my ($hung) = grep { !$served{$_} } keys %before;
$w->wait_for_log(qr/worker process $hung is in one turn of its loop for more than 5000 ms \(worker_watchdog\): it is killed, .*\n/);
my $after = time - $began;
cmp_ok $after, '>=', 4.9, 'then it is';
cmp_ok $after, '<', 8, sprintf 'soon (%.1f s)', $after;
$w->wait_for_log(qr/worker process $hung exited on signal 6/);
like $w->error_log, qr{^\S*hang\.so\(}m, 'and the log says where it hung';
$w->wait_until('a successor serves', sub { my %now = map { $_ => 1 } $w->workers; keys %now == 2 && !$now{$hung} });
is $w->get('/good')->body, 'x', 'all is served again';
$stuck->close;
done_testing;
