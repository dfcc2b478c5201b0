# Weir::WebSocket - enough of RFC 6455 for tests: a client and an echo handler for a scripted origin.
package Weir::WebSocket;
use v5.36;

use Digest::SHA qw(sha1_base64);
use MIME::Base64 qw(encode_base64);

my $guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

sub accept_key ($key) { sha1_base64($key . $guid) . '=' }

# One frame: final, opcode 1 text, 2 binary, 8 close, 9 ping, 10 pong; masked as a client's must be.
sub frame ($payload, %arg) {
    my $n      = length $payload;
    my $masked = $arg{masked} ? 0x80 : 0;
    my $head   = chr(0x80 | ($arg{opcode} // 1));
    $head .= $n < 126 ? chr($masked | $n) : $n < 65536 ? pack('Cn', $masked | 126, $n) : pack('CQ>', $masked | 127, $n);
    return $head . $payload unless $masked;
    my $key = pack 'N', $arg{key} // 0x01020304;
    return $head . $key . ($payload ^. substr $key x ($n / 4 + 1), 0, $n);
}

# Reads a frame off a wire: (opcode, payload).
sub read_frame ($wire) {
    my ($first, $second) = unpack 'CC', $wire->take(2);
    my $n = $second & 127;
    $n = $n == 126 ? unpack('n', $wire->take(2)) : $n == 127 ? unpack('Q>', $wire->take(8)) : $n;
    my $key     = $second & 128 ? $wire->take(4) : '';
    my $payload = $wire->take($n);
    $payload ^.= substr $key x ($n / 4 + 1), 0, $n if length $key;
    return ($first & 15, $payload);
}

# -- client --

sub handshake ($path = '/', $host = 'localhost') {
    return "GET $path HTTP/1.1\r\nHost: $host\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        . 'Sec-WebSocket-Key: ' . encode_base64('0123456789abcdef', '') . "\r\n\r\n";
}

# Opens on a fresh client connection; dies unless it was accepted rightly.
sub open ($client, $path = '/') {
    my $answer = $client->send(handshake($path))->read_response;
    die 'no 101: ' . $answer->head . "\n" unless $answer->status == 101;
    my $accept = $answer->header('Sec-WebSocket-Accept') // '';
    die "wrong Sec-WebSocket-Accept: $accept\n" unless $accept eq accept_key(encode_base64('0123456789abcdef', ''));
    return $client;
}

sub send ($client, $text, %arg) { $client->send(frame($text, masked => 1, %arg)) }

# A message there and back.
sub echo ($client, $text) {
    Weir::WebSocket::send($client, $text);
    my ($opcode, $payload) = read_frame($client);
    return $payload;
}

# -- origin: the handler of $w->peer --

sub echo_peer ($c) {
    $c->{deadline} = 600;
    my $request = $c->read_request or return;
    $c->raw("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
        . accept_key($request->header('Sec-WebSocket-Key') // '') . "\r\n\r\n");
    while (1) {
        my ($opcode, $payload) = eval { read_frame($c) };
        return unless defined $opcode;
        $c->raw(frame($payload, opcode => $opcode == 9 ? 10 : $opcode));
        return if $opcode == 8;
    }
}

1;
