# The pid file lives as long as the master; -s finds the master through it and says what is wrong where it cannot.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w     = Weir::Test->new('the pid file is for signals')->needs_weir;
my $file  = $w->dir . '/logs/weir.pid';
my $order = sub ($signal) { $w->run('-s', $signal, '-p', '%%DIR%%/', '-c', 'conf/weir.conf') };

$w->conf("server { location / { return 200 'one'; } }");
my ($code, $output) = $order->('stop');
is $code, 1, 'without a pid file there is nobody to signal';
like $output, qr{^weir: \[error\] open\(\) "\Q$file\E" failed \(2: No such file or directory\)$}m, 'which it says';

$w->write_file('logs/weir.pid', '');
($code, $output) = $order->('stop');
is $code, 1, 'nor with an empty one';
like $output, qr{^weir: \[error\] invalid PID number "" in "\Q$file\E"$}m, 'which it says';

$w->write_file('logs/weir.pid', "4194304999\n");
($code, $output) = $order->('stop');
like $output, qr{^weir: \[error\] invalid PID number "4194304999" in "\Q$file\E"$}m, 'or a number that is none';

my $gone = fork // die;
POSIX::_exit(0) unless $gone;
waitpid $gone, 0;
$w->write_file('logs/weir.pid', "$gone\n");
($code, $output) = $order->('stop');
is $code, 1, 'nor with that of a process that has gone';
like $output, qr{^weir: \[alert\] kill\($gone, 15\) failed \(3: No such process\)$}m, 'which it says';
$w->allow_log(qr/kill\($gone, 15\) failed/);

$w->start;
is Weir::Server::slurp($file), $w->pid . "\n", 'the master writes its number';
($code, $output) = $order->('reload');
is "$code $output", '0 ', '-s reload';
$w->wait_for_log(qr/signal 1 \(SIGHUP\) received from \d+/);
$w->wait_for_log(qr/configuration 2 is in use/);
is +($order->('reopen'))[0], 0, '-s reopen';
$w->wait_for_log(qr/signal 10 \(SIGUSR1\) received from \d+/);

$w->reload(undef, main => 'pid logs/other.pid;');
$w->wait_until('the pid file has moved', sub { !-e $file });
is Weir::Server::slurp($w->dir . '/logs/other.pid'), $w->pid . "\n", 'a reload moves the file';

is +($order->('quit'))[0], 0, '-s quit';
is $w->wait_exit, 0, 'ends it';
ok !-e $w->dir . '/logs/other.pid', 'and the file with it';
done_testing;
