# `daemon on`: the command returns when Weir serves, and what stays is a session of its own.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Weir::Test;

my $w = Weir::Test->new('a daemon leaves its terminal')->needs_weir;
$w->conf("server { location / { return 200 'ok'; } }", main => 'daemon on;', control => 0);
my @arguments = ('-p', '%%DIR%%/', '-c', 'conf/weir.conf');
my $port      = $w->port;
my ($code, $output) = $w->run(@arguments);
is "$code $output", '0 ', 'the command succeeds and is silent';

my ($pid) = Weir::Server::slurp($w->dir . '/logs/weir.pid') =~ /^(\d+)$/;
END { kill 'KILL', $pid if $pid && kill 0, $pid }
ok $pid && kill(0, $pid), 'the pid file is there by then, and the process';
my @stat = split ' ', Weir::Server::slurp("/proc/$pid/stat") =~ s/^.*\) //sr;
is $stat[3], $pid, 'it leads a session';
is $stat[4], 0, 'without a terminal';
is readlink "/proc/$pid/fd/$_", '/dev/null', "descriptor $_ is nobody" for 0, 1;
is readlink "/proc/$pid/fd/2", $w->dir . '/logs/error.log', 'errors go to the log';
is $w->{guard}->members($pid) > 1, 1, 'workers run';

my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
print $socket "GET / HTTP/1.0\r\n\r\n";
like join('', <$socket>), qr/ok$/, 'it serves';

is +($w->run('-s', 'quit', @arguments))[0], 0, '-s quit';
$w->wait_until('it has gone', sub { !kill 0, $pid });
ok !-e $w->dir . '/logs/weir.pid', 'and its pid file with it';

$w->write_file('conf/weir.conf', "daemon on; pid nowhere/weir.pid; error_log logs/error.log; events { }");
($code, $output) = $w->run(@arguments);
is $code, 1, 'a start that fails in the background fails in front';
like $output, qr{^weir: \[emerg\] open\(\) "\S+/nowhere/weir\.pid" failed}m, 'and says why';
$w->allow_log(qr/nowhere/);
done_testing;
