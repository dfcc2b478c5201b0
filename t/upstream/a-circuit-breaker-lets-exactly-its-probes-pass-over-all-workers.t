# A circuit breaker opens when enough attempts have failed, answers 503 with Retry-After itself, and lets exactly half_open requests of all
# workers pass then; places of probes whose workers are killed are given back.  Each transition is logged and counted once.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep);
use Weir::Test;

my $w      = Weir::Test->new('a circuit breaker lets exactly its probes pass over all workers')->needs_weir->workers_may_change;
my $origin = $w->origin(sub ($c) {
    my $path = $c->request->{target};
    $c->wait_for('go') if $path =~ /hold/;
    $c->reply($path =~ /bad/ ? 500 : 200, 'origin');
});
$w->conf(<<"END", workers => 4);
    upstream up { server $origin; circuit_breaker errors=50% minimum=10 window=60s open=5s half_open=3; }
    server {
        location / { proxy_pass http://up; add_header X-Pid \$pid always; }
        location = /page { error_page 503 /own; proxy_pass http://up; }
        location = /own { internal; return 503 "own page"; }
        location /status { status; }
        location /metrics { prometheus; }
    }
END
$w->allow_log(qr/worker process \d+ exited on signal 9|circuit breaker/);
my $told = sub { decode_json($w->get('/status')->body)->{upstreams}{up}{circuit_breaker} };

is $told->()->{state}, 'closed', 'closed at first';
$w->get('/ok') for 1 .. 5;
$w->get('/bad') for 1 .. 4;
is $w->get('/ok')->status, 200, 'four of ten are not enough';
$w->get('/bad') for 1 .. 2;
my $seen = $origin->requests;
my %pids;
for (1 .. 30) {
    my $res = $w->get('/ok');
    is $res->status, 503, "request $_ is refused" or last;
    like $res->header('Retry-After'), qr/^[1-5]$/, 'and told when to come again' or last;
    $pids{ $res->header('X-Pid') } = 1;
}
cmp_ok scalar keys %pids, '>', 1, 'by more than one worker';
is $w->get('/page')->body, 'own page', 'a page of the configuration may answer';
like $w->get('/page')->header('Retry-After'), qr/^[1-5]$/, 'which says when to come again, too';
is $origin->requests, $seen, 'the server was asked nothing';
is $told->()->{state}, 'open', 'open';
my ($code, $zones) = $w->tool('zones');
like $zones, qr/breaker:up=open/, 'weir zones says so';

my $half_open = sub { $told->()->{state} eq 'half_open' };
my @held;
$w->wait_until('it is half-open', sub { sleep 0.1; push @held, $w->client->send_request('GET', '/hold'); $half_open->() });
push @held, map { $w->client->send_request('GET', "/hold$_") } 1 .. 40;
$origin->wait_requests($seen + 3);
is $w->get('/ok')->status, 503, "no more passes" for 1 .. 20;
is $origin->requests, $seen + 3, 'three probes pass';
is $told->()->{probes}, 3, 'and are under way';

my @workers = $w->workers;
kill KILL => $_ for @workers;
$w->wait_until('others are there', sub { my %old = map { $_ => 1 } @workers; 4 == grep { !$old{$_} } $w->workers });
$w->wait_until('their places are given back', sub { $told->()->{probes} == 0 });
is $told->()->{state}, 'half_open', 'still half-open';
my @again = map { $w->client->send_request('GET', "/hold-again$_") } 1 .. 40;
$origin->wait_requests($seen + 6);
is $w->get('/ok')->status, 503, "and no more" for 1 .. 20;
is $origin->requests, $seen + 6, 'three others have them';
$w->pass('go') for 1 .. 6;
$w->wait_until('all were good', sub { $told->()->{state} eq 'closed' });
is $w->get('/ok')->status, 200, 'requests pass again';

my $now = $told->();
is_deeply [ $now->{moves}->@{qw(open half_open closed)} ], [ 1, 1, 1 ], 'each transition was counted once';
cmp_ok $now->{refused}, '>', 70, 'and who was refused, too';
my @log = $w->error_log =~ /(the circuit breaker of upstream "up" is .*)/g;
is scalar @log, 3, 'and logged once' or diag "@log";
like $log[0], qr/is open: of 12 attempts in 60000 ms 6 failed, 0 were slow/, 'with what was counted';
like $w->get('/metrics')->body, qr/^weir_upstream_circuit_breaker_state\{upstream="up",state="closed"\} 1$/m, 'and in metrics';
like $w->get('/metrics')->body, qr/^weir_upstream_circuit_breaker_moves_total\{upstream="up",to="open"\} 1$/m, 'as counts';

done_testing;
