# adaptive_concurrency: the least time is measured with few requests, the limit grows while answers are as fast, falls when they are slow, and
# holds over all workers.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Test;

my $w      = Weir::Test->new('a limit follows how fast the group answers')->needs_weir;
my $origin = $w->origin(sub ($c) {
    my $path = $c->request->{target};
    $c->wait_for('go') if $path =~ /hold/;
    sleep($path =~ /slow/ ? 0.2 : 0.02);
    $c->reply(200, 'ok');
});
$w->conf(<<"END", workers => 4);
    upstream adapts { server $origin; keepalive 64; adaptive_concurrency min_rtt_interval=1h min=2 samples=10 buffer=100%; }
    upstream fixed  { server $origin; adaptive_concurrency min=3 max=3; }
    server {
        add_header X-Cause \$weir_cause always; add_header X-Pid \$pid always;
        location /adapts { proxy_pass http://adapts; }
        location /fixed { proxy_pass http://fixed; }
        location /status { status; }
    }
END
$w->allow_log(qr{adaptive_concurrency|min=5});
my $told = sub ($name) { decode_json($w->get('/status')->body)->{upstreams}{$name}{adaptive_concurrency} };

is $told->('adapts')->{limit}, 2, 'the least at first';
$w->get('/adapts') for 1 .. 10;
my $now = $told->('adapts');
is $now->{measurements}, 1, 'the least time was measured';
cmp_ok $now->{min_rtt_seconds}, '>=', 0.02, 'and is what an answer takes';
my $together = sub ($path, $n) {
    my @clients = map { $w->client->send_request('GET', $path) } 1 .. $n;
    $_->read_response for @clients;
};
$w->wait_until('the limit grows while answers are fast', sub { $together->('/adapts', 4); $told->('adapts')->{limit} >= 8 });
$w->wait_until('and falls when they are slow', sub { $together->('/adapts/slow', 8); $told->('adapts')->{limit} <= 3 });
is $told->('adapts')->{now}, 0, 'nothing is under way';

my @held = map { $w->client->send_request('GET', '/fixed/hold') } 1 .. 3;
$w->wait_until('three are under way', sub { $told->('fixed')->{now} == 3 });
my %pid;
for (1 .. 20) {
    my $res = $w->get('/fixed');
    is_deeply [ $res->status, $res->header('X-Cause') ], [ 503, 'upstream.concurrency' ], "request $_ is beyond the limit" or last;
    $pid{ $res->header('X-Pid') } = 1;
}
cmp_ok scalar keys %pid, '>', 1, 'of all workers';
is $told->('fixed')->{refused}, 20, 'and counted';
$w->pass('go');
is $_->read_response->status, 200, 'who was let in is answered' for @held;
my ($code, $said) = $w->check_conf('upstream a { server 127.0.0.1; adaptive_concurrency min=5 max=4; } server { }');
like $said, qr/min=5 is more than max=4 in \S+:\d+/, 'what cannot be is an error';

done_testing;
