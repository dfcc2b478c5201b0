# A worker is down and another one takes what comes to its sockets, when another program takes over: what comes
# meanwhile is served, the new master's workers have all sockets, and what the keeper has taken for the one that was
# down goes on until it is told to go.
use v5.36;
use lib 't/lib';
use File::Copy ();
use Time::HiRes qw(time);
use Weir::Test;

my $w   = Weir::Test->new('an upgrade while sockets are lent loses no connection')->needs_weir;
my $dir = $w->dir;
File::Copy::copy($w->bin, "$dir/weir") or die $!;
chmod 0755, "$dir/weir";
$w->{bin} = "$dir/weir";
my $origin = $w->origin(sub ($c) { $c->wait_for('end') if $c->request->target =~ /wait/; $c->reply(200, 'origin') });
$w->conf("server { location / { return 200 \$pid; } location /wait { proxy_pass http://$origin; } }",
    workers => 2, control => 0);
$w->start;
$w->workers_may_change->descriptors_may_stay->allow_log(qr/exited on signal 9/);

# Kills each successor as soon as it is there, until the next one is some seconds away.
my ($pid, $keeper) = $w->workers;
for (1 .. 10) {
    my $mark = length $w->error_log;
    kill 'KILL', $pid;
    $w->wait_for_log(qr/worker process $pid exited on signal 9/, from => $mark);
    $pid = $w->wait_for_log(qr/start worker process (\d+)\n/, from => $mark) if $_ < 10;
}
my $first = $w->pid;
my @busy  = map { $w->client->send_request('GET', '/wait') } 1 .. 10;      # the kernel spreads them over both's sockets
$origin->wait_requests(10);
my @idle = map { $w->client } 1 .. 10;
is join(' ', map { $_->get('/')->body } @idle), join(' ', ($keeper) x 10), 'the keeper has what comes to both';

my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-s', 'upgrade');
is "$code $said", '0 ', 'weir -s upgrade';
isnt $w->taken_over, $first, 'another master';
# Both programs accept until the one before is told to go.
$w->wait_until('the keeper has stopped listening', sub { Weir::Server::slurp("/proc/$keeper/cmdline") =~ /shutting down/ });
my (%seen, $slowest);
for (1 .. 60) {
    my $since = time;
    $seen{ $w->get('/')->body }++;
    $slowest = time - $since if !$slowest || time - $since > $slowest;
}
is scalar(grep { $_ == $keeper } keys %seen), 0, 'what comes now is for the new workers alone';
is scalar(keys %seen), 2, 'for both of them';
cmp_ok $slowest, '<', 1, 'and nobody waits';
$w->pass('end');
is join(' ', map { $_->read_response->body } @busy), join(' ', ('origin') x 10),
    'what the keeper had under way is answered';
$w->wait_until('the first master has gone', sub { !grep { $_ == $first } $w->{guard}->members($first) });
ok !-e "$dir/logs/weir.pid.oldbin", 'the one before has gone';
is $w->get('/')->status, 200, 'and the new one serves';

done_testing;
