use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::WebSocket;

my $w    = Weir::Test->new('a WebSocket is tunnelled both ways');
my $peer = $w->peer(\&Weir::WebSocket::echo_peer);
$w->conf(<<"END");
    server { location / { proxy_pass http://$peer; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection "upgrade"; } }
END

my $ws = Weir::WebSocket::open($w->client);
is Weir::WebSocket::echo($ws, 'hello'), 'hello', 'a text';
is Weir::WebSocket::echo($ws, ''), '', 'an empty one';
for my $size (125, 126, 65535, 65536, 1_000_000) {
    my $text = join '', map { chr(32 + $_ % 90) } 1 .. $size;
    ok Weir::WebSocket::echo($ws, $text) eq $text, "$size bytes";
}
Weir::WebSocket::send($ws, "message $_") for 1 .. 100;
is join(' ', map { (Weir::WebSocket::read_frame($ws))[1] } 1 .. 100), join(' ', map { "message $_" } 1 .. 100),
    '100 in a row, in order';
Weir::WebSocket::send($ws, 'x', opcode => 9);
is_deeply [ Weir::WebSocket::read_frame($ws) ], [ 10, 'x' ], 'ping and pong';
Weir::WebSocket::send($ws, "\x03\xe8bye", opcode => 8);
is_deeply [ Weir::WebSocket::read_frame($ws) ], [ 8, "\x03\xe8bye" ], 'close';
ok $ws->at_eof, 'and the end';
like $peer->received, qr/^Upgrade: websocket\r$/m, 'Upgrade went up';
like $peer->received, qr/^Connection: upgrade\r$/m, 'Connection too';

done_testing;
