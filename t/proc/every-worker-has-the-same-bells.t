# Workers wake one another by bells (eventfds) that the master made: all have the same ones, also who replaces a dead one, who serves
# after a reload with more workers, and who runs the program that takes over.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('every worker has the same bells')->needs_weir->workers_may_change->allow_log(qr/exited on signal 9/);
$w->conf('server { location / { return 200 ok; } }', workers => 2);
$w->start;

# The kernel's numbers of the eventfds that a process has.
sub bells ($pid) {
    my %seen;
    for my $info (glob "/proc/$pid/fdinfo/*") {
        open my $in, '<', $info or next;
        while (my $line = <$in>) {
            $seen{$1} = 1 if $line =~ /^eventfd-id:\s*(\d+)/;
        }
    }
    return \%seen;
}

sub shared_with ($bells, $pid) { my $its = bells($pid); return scalar grep { $its->{$_} } keys %$bells }

my ($first) = $w->workers;
plan skip_all => 'the kernel does not tell eventfds apart' unless keys %{ bells($first) };

my $bells = bells($w->pid);
my $n     = shared_with($bells, $first);
is $n, 16, 'the master and a worker have sixteen in common';
is shared_with($bells, $_), $n, 'every worker has them' for $w->workers;

kill 'KILL', $first;
$w->wait_for_log(qr/worker process $first exited on signal 9.*\n/);
$w->wait_until('the dead one has a successor', sub { (grep { $_ != $first } $w->workers) == 2 });
is shared_with($bells, $_), $n, 'who replaces a dead one, too' for $w->workers;

my $before = join ' ', $w->workers;
$w->reload(undef, workers => 3);
$w->wait_until('there are others', sub { my @now = $w->workers; @now == 3 && !grep { $before =~ /\b$_\b/ } @now });
is shared_with($bells, $_), $n, 'and after a reload with more of them' for $w->workers;

my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-s', 'upgrade');
is "$code $said", '0 ', 'weir -s upgrade';
isnt $w->taken_over, 0, 'another master';
is shared_with($bells, $_), $n, 'and in the program that takes over' for $w->pid, $w->workers;
is $w->get('/')->status, 200, 'which serves';
done_testing;
