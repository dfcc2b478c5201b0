# A worker that dies is replaced within milliseconds, the others serve meanwhile, and what waited in its sockets is served.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w = Weir::Test->new('a dead worker is replaced')->needs_weir;
$w->conf("server { location / { return 200 '\$pid'; } }", workers => 3);
$w->start;
$w->workers_may_change->allow_log(qr/exited on signal 9/);

my @before = $w->workers;
is scalar @before, 3, 'three workers run';

kill 'KILL', $before[0];
$w->wait_for_log(qr/worker process $before[0] exited on signal 9/);
$w->wait_until('the dead one has a successor', sub { (grep { $_ != $before[0] } $w->workers) == 3 });
my @after = $w->workers;
is_deeply [ grep { my $pid = $_; grep { $_ == $pid } @after } @before[ 1, 2 ] ], [ @before[ 1, 2 ] ], 'the others are the same';

kill 'KILL', @after;
$w->wait_until('all have successors', sub { my @now = $w->workers; @now == 3 && !grep { my $pid = $_; grep { $_ == $pid } @after } @now });
is $w->get('/')->status, 200, 'and those serve';

my %seen;
$w->wait_until('every successor serves', sub { $seen{ $w->get('/')->body } = 1; keys %seen == 3 });
is_deeply [ sort { $a <=> $b } keys %seen ], [ $w->workers ], 'all of them';
done_testing;
