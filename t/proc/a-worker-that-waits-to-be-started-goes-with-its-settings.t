# A worker that died again and again waits to be started; when a reload changes what workers are made of, nobody is started in its place:
# it would be told of no later configuration.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a worker that waits to be started goes with its settings')->needs_weir;
my $conf = sub ($word) { <<"END" };
    limit_req_zone one zone=clock:32k rate=15r/m;
    server { location / { return 200 $word; } location /clock { limit_req zone=clock burst=1; proxy_pass http://127.0.0.1:%%PORT%%/; } }
END
$w->conf($conf->('one'), workers => 3, control => 0);
$w->start;
$w->workers_may_change->descriptors_may_stay->allow_log(qr/exited on signal 9/);

# Each successor is killed as soon as it is there, until the next one is 2.5 s away.
my ($pid) = $w->workers;
for (1 .. 9) {
    my $mark = length $w->error_log;
    kill 'KILL', $pid;
    $w->wait_for_log(qr/worker process $pid exited on signal 9/, from => $mark);
    $pid = $w->wait_for_log(qr/start worker process (\d+)\n/, from => $mark) if $_ < 9;
}
$w->reload($conf->('two'), workers => 2, control => 0);
$w->wait_for_log(qr/configuration 2 is in use/);
is $w->get('/clock')->body, 'two', 'new workers serve';
is $w->get('/clock')->body, 'two', 'this request is held back for four seconds';
my ($since) = $w->error_log =~ /settings that only new workers can take have changed(.*)/s;
is scalar(() = $since =~ /start worker process/g), 2, 'nobody is started but those of the new settings';
is scalar $w->workers, 2, 'two workers are there';

$w->reload($conf->('three'), workers => 2, control => 0);
$w->wait_for_log(qr/configuration 3 is in use/);
my %said;
$said{$w->get('/')->body}++ for 1 .. 60;
is join(' ', sort keys %said), 'three', 'all serve the configuration that came last';
done_testing;
