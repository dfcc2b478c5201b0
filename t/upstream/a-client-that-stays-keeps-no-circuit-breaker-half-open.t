# A probe that has become a tunnel, or whose client does not read what the server sends, was good: clients that stay keep the breaker neither
# half-open nor closed to others.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep);
use Weir::Test;
use Weir::WebSocket;

my $w      = Weir::Test->new('a client that stays keeps no circuit breaker half-open')->needs_weir;
my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    if ($request->{target} =~ /tunnel/) {
        $c->raw("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
            . Weir::WebSocket::accept_key($request->header('Sec-WebSocket-Key')) . "\r\n\r\n");
        return $c->wait_for('the end');
    }
    $c->reply($request->{target} =~ /bad/ ? 500 : 200, $request->{target} =~ /large/ ? 'x' x 20_000_000 : 'origin');
});
$w->conf(<<"END", workers => 1);
    upstream up { server $origin; circuit_breaker minimum=2 window=60s open=300ms half_open=1; }
    server {
        location / { proxy_pass http://up; proxy_buffering off; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; }
        location /status { status; }
    }
END
$w->allow_log(qr/circuit breaker/);
my $state = sub { decode_json($w->get('/status')->body)->{upstreams}{up}{circuit_breaker}{state} };

for my $how (qw(tunnel large)) {
    $w->get('/bad') until $state->() eq 'open';
    sleep 0.4;
    my $client = $w->client(rcvbuf => 4096);
    if ($how eq 'tunnel') { Weir::WebSocket::open($client, '/tunnel') } else { $client->send_request('GET', '/large') }
    $w->wait_until("$how: the breaker is closed", sub { $state->() eq 'closed' });
    is $w->get('/')->body, 'origin', "$how: others are served while it stays";
}
$w->pass('the end');

done_testing;
