# While a worker is down another one takes what comes to its listening sockets.  Those connections are like any other of who took them: they are
# kept when the successor has its sockets again, and end politely when their address is no longer listened on.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a connection taken for a worker that was down is kept')->needs_weir;
my $conf = sub ($word, $more = '') { "server { listen %%PORT%%; location / { return 200 '\$pid $word'; } } $more" };
my $two  = 'server { listen %%PORT_two%%; location / { return 200 two; } }';
$w->conf($conf->('one', $two), workers => 2, control => 0);
$w->start;
$w->workers_may_change->descriptors_may_stay->allow_log(qr/exited on signal 9/);

# Kills each successor as soon as it is there, until the next one is some seconds away.
my ($pid, $keeper) = $w->workers;
for (1 .. 9) {
    my $mark = length $w->error_log;
    kill 'KILL', $pid;
    $w->wait_for_log(qr/worker process $pid exited on signal 9/, from => $mark);
    $pid = $w->wait_for_log(qr/start worker process (\d+)\n/, from => $mark) if $_ < 9;
}
my $mark    = length $w->error_log;
my @clients = map { $w->client } 1 .. 20;       # the kernel spreads them over the sockets of both
my @others  = map { $w->client(port => 'two') } 1 .. 10;
my $ask     = sub ($client) { $client->get('/') };
is join(' ', map { $ask->($_)->body } @clients), join(' ', ("$keeper one") x 20), 'one of two is down: the other has all';
$ask->($_) for @others;

$w->wait_for_log(qr/worker process \d+ serves configuration 1\n/, from => $mark);
$w->reload($conf->('again', $two));             # by the same way as what was said about sockets, after it
$w->wait_for_log(qr/configuration 2 is in use\n/);
my @answers = map { $ask->($_) } @clients;
is join(' ', map { $_->body } @answers), join(' ', ("$keeper again") x 20), 'all of them go on, on the new configuration';
is scalar(grep { !$_->is_kept } @answers), 0, 'none is told to close';
is join(' ', map { $ask->($_)->body } @clients), join(' ', ("$keeper again") x 20), 'and they are kept';

$w->reload($conf->('without'));
$w->wait_for_log(qr/configuration 3 is in use\n/);
is scalar(grep { !$ask->($_)->is_kept } @others), 10, 'those of an address that went end with their next answer';
is scalar(grep { !$ask->($_)->is_kept } @clients), 0, 'the others do not';
done_testing;
