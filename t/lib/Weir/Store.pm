package Weir::Store;

# What tests of the store share.

use v5.36;
use Test::More ();

# A test counts in one month of UTC, and of every time zone: the calendar may not turn meanwhile.
sub not_at_the_end_of_a_month () {
    my $month = sub ($at) { (gmtime $at)[4] };
    for my $hours (-14 .. 14) {
        my $now = time + $hours * 3600;
        Test::More::plan(skip_all => 'a month ends within minutes') if $month->($now) != $month->($now + 180);
    }
}

# The master, its workers and the store's process at one stroke.
sub kill_all ($w) {
    my $group = $w->pid;
    kill 'KILL', -$group;
    $w->wait_exit;
    $w->wait_until('what it had open is closed', sub { !$w->{guard}->members($group) });
}

# Reloads; the store's process is another then, and the one before has ended: until then it is who answers, by what it was started with.
sub reload ($w) {
    my $processes = sub { grep { Weir::Server::slurp("/proc/$_/cmdline") =~ /store process/ } $w->{guard}->members($w->{first_pid} // $w->pid) };
    my %before = map { $_ => 1 } $processes->();
    $w->reload;
    $w->wait_until('the store process is another', sub { my @now = $processes->(); @now && !grep { $before{$_} } @now });
}

# A file system that goes with the object.
package Weir::Store::Mounted;

sub new ($class, $path) { return bless { path => $path }, $class }
sub DESTROY ($self) { system 'umount', '-l', $self->{path} }

1;
