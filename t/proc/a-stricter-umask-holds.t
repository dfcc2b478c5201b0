# What Weir writes is at most for others to read; who starts it with a stricter umask gets that.
use v5.36;
use lib 't/lib';
use Weir::Test;

for my $case ([ 0, '0022', '0644' ], [ 0077, '0077', '0600' ]) {
    my ($mask, $its, $mode) = @$case;
    my $before = umask 022;
    my $w = Weir::Test->new('a stricter umask holds')->needs_weir;
    $w->conf("server { location / { return 200 ok; } }", workers => 1);
    umask $mask;
    $w->start;
    umask $before;
    like Weir::Server::slurp("/proc/$_/status"), qr/^Umask:\t$its$/m, sprintf 'started with %04o', $mask for $w->pid, $w->workers;
    is sprintf('%04o', (stat $w->dir . '/logs/error.log')[2] & 07777), $mode, 'its log';
}
done_testing;
