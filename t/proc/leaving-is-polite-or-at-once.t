# QUIT lets requests end, TERM does not, worker_shutdown_timeout ends the patience of QUIT.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes;
use Weir::Test;

my $w = Weir::Test->new('leaving is polite or at once')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->wait_for($1) if $c->request->target =~ m{^/slow/(.*)}; $c->reply(200, 'ok') });
my $text   = "server { location / { proxy_pass http://$origin; } }";
$w->workers_may_change->descriptors_may_stay;

my $slow_request = sub ($name) {
    my $n = $origin->requests;
    my $client = $w->client->send_request('GET', "/slow/$name");
    $w->wait_until('the request is at the origin', sub { $origin->requests > $n });
    return $client;
};

$w->conf($text);
my $client = $slow_request->('quit');
$w->signal('QUIT');
$w->wait_for_log(qr/gracefully shutting down/);
$w->pass('quit');
is $client->read_response->body, 'ok', 'QUIT: a request in flight is answered';
is $w->wait_exit, 0, 'then all end';

$w->start;
$client = $slow_request->('term');
my $start = Time::HiRes::time();
is $w->stop('TERM'), 0, 'TERM: all end';
ok Time::HiRes::time() - $start < 3, 'at once';
is $client->take_all, '', 'and the request with them';
$w->pass('term');

$w->conf($text, main => 'worker_shutdown_timeout 300ms;');
$w->start;
$client = $slow_request->('limit');
is $w->stop('QUIT'), 0, 'QUIT with worker_shutdown_timeout: all end';
like $w->error_log, qr/worker_shutdown_timeout/, 'after that time';
$w->pass('limit');

$w->start;
my ($worker) = $w->workers;
kill 'QUIT', $worker;
$w->wait_for_log(qr/worker process $worker exited with code 0/);
$w->wait_until('it is replaced', sub { $w->workers == 2 });
is $w->get('/')->status, 200, 'a worker alone that was told to leave is replaced';
done_testing;
