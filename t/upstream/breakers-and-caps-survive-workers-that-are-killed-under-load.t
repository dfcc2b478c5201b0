# Under load, with a worker killed every 100 ms, a group never has more requests or probes than it may, and in the end nothing is left of what the
# dead held: the breaker closes, and all gauges are zero.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Test;

my $w      = Weir::Test->new('breakers and caps survive workers that are killed under load')->needs_weir->workers_may_change;
my $origin = $w->origin(sub ($c) {
    sleep 0.01;
    $c->reply($c->request->{target} =~ /bad/ ? 500 : 200, 'ok');
});
$w->conf(<<"END", workers => 4);
    upstream up { server $origin; max_requests 6; circuit_breaker minimum=5 window=1s open=100ms half_open=2 probe_timeout=2s; }
    server {
        location / { proxy_pass http://up; }
        location /status { status; }
    }
END
$w->allow_log(qr/exited on signal 9|circuit breaker|max_requests|upstream|socket|worker/);
my $told = sub { decode_json($w->get('/status')->body)->{upstreams}{up} };
my $try  = sub ($what) { my $value = eval { $what->() }; return $value };       # its worker may be killed

$w->start;

# Eight clients that ask all the time; every other second all answers are bad.
my @load = map {
    $w->child(sub {
        my $until = time + 4;
        while (time < $until) {
            my $bad = int(time * 2) % 2 ? 'bad' : 'good';
            $try->(sub { $w->client->send_request('GET', "/$bad")->read_response });
        }
    })
} 1 .. 8;
my ($most, $probes, $looks, $until, $killed) = (0, 0, 0, time + 3.5, 0);
my $next = time;
while (time < $until) {
    if (time >= $next) {
        my @workers = $w->workers;
        $killed += kill KILL => $workers[ rand @workers ] if @workers == 4;
        $next = time + 0.1;
    }
    my $now = $try->($told) or next;
    $looks++;
    $most   = $now->{caps}{now}{requests}       if $now->{caps}{now}{requests} > $most;
    $probes = $now->{circuit_breaker}{probes} if $now->{circuit_breaker}{probes} > $probes;
}
$_->(20) for @load;
cmp_ok $killed, '>', 5, 'workers were killed';
cmp_ok $looks,  '>', 20, 'it was looked often';
# Who asks for a place says so before it looks at the others: each worker may have one that it is about to refuse.
cmp_ok $most,   '<=', 6 + 4, 'never more requests than the cap';
cmp_ok $probes, '<=', 2 * 2 + 4, 'nor probes, of two phases at most';
$w->wait_until('there are four workers', sub { 4 == $w->workers });
$w->wait_until('all is well again', sub { $try->(sub { $w->get('/good') }); ($try->($told) // { circuit_breaker => { state => '' } })->{circuit_breaker}{state} eq 'closed' });
my $now = $told->();
is $now->{caps}{now}{requests}, 0, 'nothing of the dead is left';
is $now->{circuit_breaker}{probes}, 0, 'and no probe';
cmp_ok $now->{circuit_breaker}{moves}{open}, '>', 1, 'it had opened again and again';
my $opened = () = $w->error_log =~ /circuit breaker of upstream "up" is open/g;
cmp_ok abs($opened - $now->{circuit_breaker}{moves}{open}), '<=', $killed, 'what was logged and counted differs by no more than deaths';

done_testing;
