# Who can make workers die by a request makes the master start others; it does so at once, and yet never so often that nothing else gets done.
# A test kills the worker that has answered it, again and again, as fast as it can.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Test;

my ($burst, $rate, $rate_alone) = (20, 20, 100);     # of one worker: starts at once, a second, and a second while no other serves
my $attack = sub ($w, $seconds, $is_victim) {
    my ($since, $mark, $kills) = (time, length $w->error_log, 0);
    while (time - $since < $seconds) {
        my $answer = eval { $w->get('/') } or next;
        next unless $is_victim->($answer->body);
        $kills += kill 'KILL', $answer->body;
    }
    my $starts = () = substr($w->error_log, $mark) =~ /start worker process/g;
    return ($starts, time - $since, $kills);
};
for my $workers (1, 2) {
    my $w = Weir::Test->new("a crash that requests provoke costs few starts")->needs_weir;
    $w->conf("server { location / { return 200 '\$pid'; } }", workers => $workers, control => 0);
    $w->start;
    $w->workers_may_change->descriptors_may_stay->allow_log(qr/exited on signal 9/);
    my ($keep) = $workers > 1 ? $w->workers : 0;

    my ($starts, $took, $kills) = $attack->($w, 3, sub ($pid) { $pid ne $keep });
    my $most = $burst + 1 + $took * ($workers > 1 ? $rate : $rate_alone);
    cmp_ok $starts, '<=', $most, "$workers workers: $starts starts in $took s for $kills kills";
    cmp_ok $starts, '>=', $burst, 'it was started again, each time';
    $w->wait_until('a successor serves', sub { my $answer = eval { $w->get('/') }; $answer && $answer->body ne $keep });
}

# When it is over nobody pays for it any more: not even after seconds in which all were killed again and again.
my $w = Weir::Test->new("a crash that requests provoke is soon over")->needs_weir;
$w->conf("server { location / { return 200 '\$pid'; } }", workers => 2, control => 0);
$w->start;
$w->workers_may_change->descriptors_may_stay->allow_log(qr/exited on signal 9/);
$_->(30) for map { $w->child(sub { $attack->($w, 6, sub ($pid) { 1 }) }) } 1 .. 4;
my $starts = () = $w->error_log =~ /start worker process/g;
my ($since, %seen) = (time);
$w->wait_until('both serve', sub { my $answer = eval { $w->get('/') }; $seen{ $answer->body }++ if $answer; keys(%seen) == 2 });
cmp_ok time - $since, '<', 2, "after $starts starts both serve soon";
done_testing;
