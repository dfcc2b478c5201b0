# A configuration lives as long as a request that began with it: status and prometheus tell for each worker which one serves there and how many it
# has in memory.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w      = Weir::Test->new('each worker tells how many configurations it holds')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->wait_for($c->request->target =~ s{/}{}r); $c->reply(200, 'ok') });
my $conf   = sub ($n) { <<"END" };
    server {
        location / { proxy_pass http://$origin; }
        location /here { return 200 "$n"; }
    }
    server {
        listen 127.0.0.1:%%PORT_look%%;
        location /status { status; }
        location /metrics { prometheus; }
    }
END
$w->conf($conf->(1), workers => 2);
my $look    = $w->client(port => 'look');
my $workers = sub { decode_json($look->get('/status')->body)->{workers} };
my @pids    = $w->workers;
my $all_say = sub ($what, @wanted) {
    $w->wait_until($what, sub { "@wanted" eq join ' ', sort map { "$_->{generation}/$_->{generations}" } $workers->()->@* });
    ok 1, $what;
};

$all_say->('each has its first', '1/1', '1/1');
is_deeply [ sort map { $_->{pid} } $workers->()->@* ], [ sort @pids ], 'by process';
my $first = $w->client->send_request('GET', '/one');
$origin->wait_requests(1);
$w->reload($conf->(2));
$all_say->('the worker with a request of before has two', '2/1', '2/2');
my $second = $w->client->send_request('GET', '/two');
$origin->wait_requests(2);
$w->reload($conf->(3));
$w->wait_until('each request has its own', sub {
    my $sum = 0;
    $sum += $_->{generations} - 1 for $workers->()->@*;
    return $sum == 2;
});
like $look->get('/metrics')->body, qr/^weir_worker_generation\{pid="$_"\} 3$/m, "prometheus tells which one $_ serves" for @pids;
like $look->get('/metrics')->body, qr/^weir_worker_generations\{pid="$_"\} [123]$/m, "and how many $_ has" for @pids;
$w->pass('one');
is $first->read_response->status, 200, 'the first ends';
$w->pass('two');
is $second->read_response->status, 200, 'and the second';
$all_say->('and what they needed goes', '3/1', '3/1');

$w->workers_may_change->allow_log(qr/exited on signal 9/);
kill KILL => $pids[0];
$w->wait_until('another worker', sub { my @now = $w->workers; @now == 2 && !grep { $_ == $pids[0] } @now });
$look->close;
$look = $w->client(port => 'look');
$all_say->('a successor tells of itself alone', '3/1', '3/1');

done_testing;
