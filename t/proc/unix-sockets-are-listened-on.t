# A unix socket is one for all workers, serves, and its file goes when it is no longer listened on.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w      = Weir::Test->new('unix sockets are listened on')->needs_weir;
my $path   = $w->dir . '/weir.sock';
my $server = "server { location / { return 200 'tcp'; } }";
my $unix   = "server { listen unix:$path; location / { return 200 'unix \$pid'; } }";
$w->descriptors_may_stay;

$w->conf("$server $unix");
$w->start;
ok -S $path, 'the file is there';
like $w->request('GET', '/', unix => $path)->body, qr/^unix \d+$/, 'and serves';
$w->reload($server);
$w->wait_until('the file has gone', sub { !-e $path });
ok 1, 'a reload without it removes it';
$w->reload("$server $unix");
like $w->request('GET', '/', unix => $path)->body, qr/^unix \d+$/, 'and one with it brings it back';

$w->workers_may_change->allow_log(qr/exited on signal 9/);
kill 'KILL', $w->workers;
like $w->request('GET', '/', unix => $path)->body, qr/^unix \d+$/, 'who connects while no worker lives is served by the next';

my @workers = $w->workers;
$w->signal('KILL');
$w->may_end_with(9)->wait_exit;
my $lives = sub ($pid) { Weir::Server::slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) [^ZX] /s };
$w->wait_until('its workers have gone', sub { !grep { $lives->($_) } @workers });      # they hold its address until then
ok -S $path, 'a killed master leaves the file';
unlink $w->dir . '/logs/weir.pid';
$w->may_end_with(0)->start;
like $w->request('GET', '/', unix => $path)->body, qr/^unix \d+$/, 'which the next one replaces';
is $w->stop, 0, 'it ends';
ok !-e $path, 'and then the file goes';
done_testing;
