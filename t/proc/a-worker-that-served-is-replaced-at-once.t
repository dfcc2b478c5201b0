# A crash that a stranger can provoke is no outage: a worker that has taken a connection is started again at once, however often it dies.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Test;

my $w = Weir::Test->new('a worker that served is replaced at once')->needs_weir;
$w->conf("server { location / { return 200 '\$pid'; } }", workers => 1);
$w->start;
$w->workers_may_change->allow_log(qr/exited on signal 9/);

my $slowest = 0;
my $deaths  = 15;                           # with a back-off that doubles from 10 ms these would take minutes
for (1 .. $deaths) {
    my $pid = $w->get('/')->body;
    kill 'KILL', $pid;
    my $since = time;
    $w->wait_until('a successor serves', sub { my $answer = eval { $w->get('/') }; $answer && $answer->body ne $pid });
    my $took = time - $since;
    $slowest = $took if $took > $slowest;
}
cmp_ok $slowest, '<', 2, "after each of $deaths deaths a successor served soon";
done_testing;
