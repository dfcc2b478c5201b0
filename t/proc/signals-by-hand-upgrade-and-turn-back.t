# nginx's signals by hand: USR2 starts another program, WINCH sends the old one's workers away, HUP brings them back, and when the new one
# is told to leave the old one has its pid file again.  Or the old one is told to leave.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w   = Weir::Test->new('signals by hand upgrade and turn back')->needs_weir->workers_may_change;
my $dir = $w->dir;
$w->conf("server { location / { return 200 '\$pid'; } }", workers => 2);
$w->start;
my $old   = $w->pid;
my $pid_in = sub ($name) { -e "$dir/logs/$name" ? Weir::Server::slurp("$dir/logs/$name") =~ s/\s+//r : '' };
my $workers_of = sub ($master) {
    grep { $_ != $master && Weir::Server::slurp("/proc/$_/stat") =~ /^\d+ \(.*\) [^Z] $master /s
        && Weir::Server::slurp("/proc/$_/cmdline") =~ /worker process(?! is shutting)/ } $w->{guard}->members($old);
};
my $begin = sub {
    kill USR2 => $old;
    $w->wait_until('another program serves', sub { my $now = $pid_in->('weir.pid'); $now ne '' && $now != $old });
    return $pid_in->('weir.pid');
};
my $serves = sub ($what, @masters) {
    my %of = map { my $master = $_; map { $_ => $master } $workers_of->($master) } @masters;
    my @answers = map { $w->get('/')->body } 1 .. 20;
    is scalar(grep { !$of{$_} } @answers), 0, $what;
};

my $new = $begin->();
is $pid_in->('weir.pid.oldbin'), $old, 'the old pid file has another name';
$serves->('both serve', $old, $new);
kill WINCH => $old;
$w->wait_until('the workers of the old one have gone', sub { !$workers_of->($old) });
$serves->('WINCH: only the new one serves', $new);
kill HUP => $old;
$w->wait_until('they are here again', sub { $workers_of->($old) == 2 });
kill QUIT => $new;
$w->wait_until('the new one has gone', sub { !grep { $_ == $new } $w->{guard}->members($old) });
$w->wait_until('the pid file is back', sub { $pid_in->('weir.pid') eq $old });
ok !-e "$dir/logs/weir.pid.oldbin", 'HUP and QUIT: all is as before';
$serves->('and the old one serves', $old);

$new = $begin->();
kill WINCH => $old;
$w->wait_until('the workers of the old one have gone again', sub { !$workers_of->($old) });
kill KILL => $new;
$w->wait_until('they come again by themselves', sub { $workers_of->($old) == 2 });
$w->wait_until('with the pid file', sub { $pid_in->('weir.pid') eq $old });
$w->wait_until('and no worker of another', sub { $w->{guard}->members($old) == 4 });   # master, workers, control
$serves->('a new one that is killed: the old one serves', $old);
$w->allow_log(qr/the new program \(process \d+\) ended on signal 9/);

$new = $begin->();
kill QUIT => $old;
$w->wait_until('the old one has gone', sub { !-e "$dir/logs/weir.pid.oldbin" });
is $w->taken_over, $new, 'QUIT to the old one: the new one is it';
$serves->('and serves', $new);

done_testing;
