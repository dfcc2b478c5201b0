# Frames in the same segment as the handshake, and an answer whose first frame comes with the 101.
use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::WebSocket;

my $w    = Weir::Test->new('a WebSocket handshake may be followed at once');
my $peer = $w->peer(sub ($c) {
    my $request = $c->read_request;
    $c->raw("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
        . Weir::WebSocket::accept_key($request->header('Sec-WebSocket-Key')) . "\r\n\r\n"
            . Weir::WebSocket::frame('welcome'));
    my ($opcode, $text) = Weir::WebSocket::read_frame($c);
    $c->raw(Weir::WebSocket::frame("got $text"));
});
$w->conf("server { location / { proxy_pass http://$peer; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; } }");

my $client = $w->client;
$client->send(Weir::WebSocket::handshake() . Weir::WebSocket::frame('early', masked => 1));
is $client->read_response->status, 101, 'switched';
is((Weir::WebSocket::read_frame($client))[1], 'welcome', 'what came with the 101');
is((Weir::WebSocket::read_frame($client))[1], 'got early', 'what was sent with the handshake');

done_testing;
