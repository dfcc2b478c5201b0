# Weir::Guard - every process a test starts, and the promise that none outlives it.
#
# Each process started is the leader of a group of its own. A small guardian holds the other end of a pipe: should the test be
# killed outright, the pipe ends and the guardian ends those groups. Nothing else is ever signalled.
package Weir::Guard;
use v5.36;

use IO::Handle;
use POSIX ();
use Time::HiRes qw(time sleep);

sub new ($class) {
    pipe my $read, my $write or die "pipe: $!\n";
    my $self = bless { test => $$, write => $write, groups => {}, status => {} }, $class;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        close $write;
        _quiet_child('/dev/null');
        _watch($read);
    }
    close $read;
    $write->autoflush(1);
    $self->{pid} = $pid;
    return $self;
}

sub _quiet_child ($errors) {
    POSIX::setpgid(0, 0);
    @SIG{qw(INT TERM HUP CHLD PIPE)} = ('DEFAULT') x 5;
    open STDIN,  '<',  '/dev/null';
    open STDOUT, '>',  '/dev/null';
    open STDERR, '>>', $errors;
    return;
}

sub _watch ($read) {
    my %groups;
    while (my $line = <$read>) {
        my ($sign, $pid) = $line =~ /^([+-])(\d+)$/ or next;
        $sign eq '+' ? ($groups{$pid} = 1) : delete $groups{$pid};
    }
    kill 'KILL', map { -$_ } keys %groups if %groups;
    POSIX::_exit(0);
}

sub _started ($self, $pid) {
    POSIX::setpgid($pid, $pid);
    $self->{groups}{$pid} = 1;
    $self->{write}->print("+$pid\n");
    return $pid;
}

# A child that runs Perl and never returns.
sub fork ($self, $work, $errors = '/dev/null') {
    my $pid = CORE::fork // die "fork: $!\n";
    return $self->_started($pid) if $pid;
    close $self->{write};
    _quiet_child($errors);
    eval { $work->(); 1 } or warn $@;
    POSIX::_exit(0);
}

# A program; its output goes to a file.
sub exec ($self, $output, $env, @command) {
    my $pid = CORE::fork // die "fork: $!\n";
    return $self->_started($pid) if $pid;
    POSIX::setpgid(0, 0);
    @SIG{qw(INT TERM HUP CHLD PIPE)} = ('DEFAULT') x 5;
    open STDIN,  '<',  '/dev/null';
    open STDOUT, '>>', $output;
    open STDERR, '>>', $output;
    @ENV{keys %$env} = values %$env;
    { no warnings 'exec'; CORE::exec { $command[0] } @command }
    warn "$command[0]: $!\n";
    POSIX::_exit(127);
}

# Has it ended?  Its wait status then, else undef.
sub ended ($self, $pid) {
    return $self->{status}{$pid} if defined $self->{status}{$pid};
    my $got = waitpid $pid, POSIX::WNOHANG();
    return undef if $got == 0;
    $self->{status}{$pid} = $got == $pid ? $? : 0;
    return $self->{status}{$pid};
}

sub wait ($self, $pid, $seconds) {
    my $until = time + $seconds;
    while (1) {
        my $status = $self->ended($pid);
        return $status if defined $status;
        return undef if time > $until;
        sleep 0.002;
    }
}

# Processes of the group that are still there.  A zombie is not, unless it has other threads, which end a little later and have its files open.
sub members ($self, $group) {
    my @pids;
    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $stat or next;
        my ($pid, $rest) = (<$in> // '') =~ /^(\d+) \(.*\) (.*)$/s or next;
        my ($state, $parent, $pgrp) = split ' ', $rest;
        push @pids, $pid if $pgrp == $group && ($state ne 'Z' || (() = glob "/proc/$pid/task/*") > 1);
    }
    return @pids;
}

# Forgets a group, ending what is left of it.
sub end ($self, $pid) {
    return unless $$ == $self->{test} && delete $self->{groups}{$pid};
    kill 'KILL', -$pid;
    $self->wait($pid, 5);
    $self->{write}->print("-$pid\n") if $self->{write};
}

sub end_all ($self) {
    return unless $$ == $self->{test};
    $self->end($_) for keys $self->{groups}->%*;
    if (my $pid = delete $self->{pid}) {
        close delete $self->{write};
        waitpid $pid, 0;
    }
}

1;
