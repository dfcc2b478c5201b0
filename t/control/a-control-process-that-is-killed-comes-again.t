# The control process is killed again and again in the middle of changes: another one takes its place, what was answered
# holds, no client waits without end, and the instance notices nothing.  Stopped, it is killed by the watchdog.
use v5.36;
use lib 't/lib';
use Weir::Test;

$SIG{PIPE} = 'IGNORE';
my $w = Weir::Test->new('a control process that is killed comes again')->needs_weir->allow_log(qr/control process \d+ (?:exited on signal 9|is stopped for more than)/);
$w->time_limit(120);
my $a = $w->origin;
$w->conf("upstream api { server $a; } server { location / { proxy_pass http://api; } }", workers => 2, main => 'worker_watchdog 500ms;')->start;
is $w->get('/')->status, 200, 'it serves';

my ($next, $answered, $cut, %wanted, %unsure) = (0, 0, 0);
my (%seen, @asked);
my $take = sub ($control) {
    while (@asked and my ($status, $answer) = eval { $control->read }) {
        my $server = shift @asked;
        next unless is_201($status, $answer);
        $wanted{$server} = 1;
        $answered++;
    }
};
for my $round (1 .. 12) {
    my $pid;
    $w->wait_until('there is a process', sub { defined($pid = $w->control_process) && !$seen{$pid}++ });
    my $control = $w->control_client;
    $control->ask(GET => '/v1');             # it is this process that has the connection
    @asked = ();
    for (1 .. 200) {
        my $server = sprintf '127.7.%d.%d:80', $next >> 8, $next & 255;
        $next++;
        push @asked, $server;
        eval { $control->send(POST => '/v1/upstreams/api/servers', { server => $server, down => JSON::PP::true() }) } or last;
        $take->($control) if $_ == 5;        # some are answered, some are under way
        kill KILL => $pid if $_ == 5 + $round * 12;
    }
    $take->($control);
    $cut++ if @asked;
    $unsure{$_} = 1 for @asked;
}
sub is_201 ($status, $answer) { return $status == 201 if $status == 201; fail("status $status: $answer->{detail}"); return 0 }

cmp_ok $answered, '>=', 60, "$answered changes were answered";
is $cut, 12, 'each time a connection is cut, and none hangs';
my (undef, $list) = $w->control_client->ask(GET => '/v1/upstreams/api');
my %there = map { $_->{server} => 1 } $list->{servers}->@*;
is scalar(grep { !$there{$_} } keys %wanted), 0, 'what was answered holds';
is scalar(grep { $_ ne "$a" && !$wanted{$_} && !$unsure{$_} } keys %there), 0, 'and nothing else is there than was asked for';
is $w->get('/')->status, 200, 'requests are served';

my $stopped = $w->control_process;
kill STOP => $stopped;
$w->wait_until('another one is there', sub { my $now = $w->control_process; defined $now && $now != $stopped });
is +($w->control_client->ask(GET => '/v1'))[0], 200, 'one that is stopped is replaced, and who waited is answered';
done_testing;
