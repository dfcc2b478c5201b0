# What a worker is after its start: another user, no capabilities, nothing to gain, nothing to see, no descriptor of others.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

plan(skip_all => 'needs root') unless $> == 0;
my $w = Weir::Test->new('workers give up their rights')->needs_weir;
$ENV{WEIR_TEST_SECRET} = 'sesame';
$w->conf("server { location / { return 200 'ok'; } }", main => "user nobody nogroup; env WEIR_TEST_KEPT=1; worker_rlimit_nofile 777;");
$w->start;
my ($uid, $gid) = (scalar getpwnam('nobody'), scalar getgrnam('nogroup'));

my $before = Weir::Server::slurp("/proc/@{[ $w->pid ]}/environ");
unlike $before, qr/sesame/, 'the master does not show its environment';
for my $pid ($w->workers) {
    my $status = Weir::Server::slurp("/proc/$pid/status");
    like $status, qr/^Uid:(?:\t$uid){4}$/m, 'the user is nobody, in every sense';
    like $status, qr/^Gid:(?:\t$gid){4}$/m, 'so is the group';
    my ($groups) = $status =~ /^Groups:\t(.*?)\s*$/m;
    is $groups, $gid, 'there are no other groups';
    like $status, qr/^Cap$_:\t0+$/m, "no capability is $_" for qw(Inh Prm Eff Amb);
    like $status, qr/^NoNewPrivs:\t1$/m, 'no program it runs gains anything';
    like $status, qr/^Umask:\t0022$/m, 'files it makes are not writable by others';
    unlike Weir::Server::slurp("/proc/$pid/environ"), qr/sesame/, 'the environment is clean';
    like Weir::Server::slurp("/proc/$pid/limits"), qr/^Max open files\s+777\s+777\s/m, 'worker_rlimit_nofile holds';
    is +(grep { ($_->[1] // '') =~ /\.pid|memfd|\.conf/ } $w->_fds($pid)), 0, 'no file of the master\'s is open';
    like Weir::Server::slurp("/proc/$pid/cmdline"), qr/^weir: worker process/, 'ps shows what it is';
}
SKIP: {
    skip 'the leak checker needs to look inside', 1 if Weir::Server::slurp($w->bin) =~ /__asan_init/;
    my ($pid) = $w->workers;
    is +(stat "/proc/$pid/environ")[4], 0, 'nobody of its own user can look inside';
}
is $w->get('/')->status, 200, 'and it serves';
done_testing;
