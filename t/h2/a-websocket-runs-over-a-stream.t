# RFC 8441: a WebSocket over one stream of an HTTP/2 connection, to a peer of HTTP/1.1.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Http2Stream;
use Weir::Test;
use Weir::WebSocket;

my $w    = Weir::Test->new('a WebSocket runs over a stream');
my $peer = $w->peer(\&Weir::WebSocket::echo_peer);
my $deaf = $w->origin(sub { shift->reply(403, 'no') });
$w->conf(<<"END", workers => 1);
    log_format judged '\$request_method \$status \$weir_cause \$body_bytes_sent'; access_log logs/judged.log judged;
    server {
        http2 on;
        proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; proxy_http_version 1.1;
        location / { proxy_pass http://$peer; }
        location /no { proxy_pass http://$deaf; }
        location /short { proxy_pass http://$peer; proxy_read_timeout 300ms; }
        location /plain { return 200 hello; }
    }
END

my $c = Weir::Http2::client($w);
is $c->{peer}{8}, 1, 'SETTINGS say that it may be asked for';
my $ws = Weir::Http2Stream::connect($c, 1, origin => 'http://localhost', 'sec-websocket-protocol' => 'chat');
is Weir::WebSocket::echo($ws, 'hello'), 'hello', 'a message there and back';
my $text = join '', map { chr(32 + $_ % 90) } 1 .. 300_000;
ok Weir::WebSocket::echo($ws, $text) eq $text, 'a large one';
my $second = Weir::Http2Stream::connect($c, 3);
is Weir::WebSocket::echo($second, 'other'), 'other', 'a second on the same connection';
Weir::WebSocket::send($ws, 'x', opcode => 9);
is_deeply [ Weir::WebSocket::read_frame($ws) ], [ 10, 'x' ], 'ping and pong';
Weir::WebSocket::send($ws, "\x03\xe8", opcode => 8);
is_deeply [ Weir::WebSocket::read_frame($ws) ], [ 8, "\x03\xe8" ], 'close';
is $ws->end, 'ended', 'when the peer ends so does the stream';
$ws->finish;
is $w->wait_for_access(qr/^GET 101 .*/m, 'judged.log') =~ s/\d+$/N/r, 'GET 101 - N', 'it is in the log as the tunnel it is';

$peer->wait_ended(1);
$second->finish;
is $second->end, 'ended', 'when the client ends so does the peer';
$peer->wait_ended(2);
my $third = Weir::Http2Stream::connect($c, 5);
$c->write(rst(5));
$peer->wait_ended(3);
pass 'a reset stream lets its peer go';

my $received = $peer->received;
like $received, qr/^GET \/ HTTP\/1\.1\r$/m, 'the peer sees an HTTP/1.1 handshake';
like $received, qr/^Upgrade: websocket\r$/mi, 'with Upgrade';
like $received, qr/^Sec-WebSocket-Key: [A-Za-z0-9+\/]{22}==\r$/mi, 'and a key';
like $received, qr/^Sec-WebSocket-Protocol: chat\r$/mi, 'and what the client said';
unlike $received, qr/:protocol|:path/, 'and nothing else of HTTP/2';

$c->write(headers(7, 'END_HEADERS', Weir::Http2Stream::connect_fields(':path' => '/no')));
is $c->verdict(7, waits => 1), '403', "the peer's refusal is the answer";
is $c->body, 'no', 'with its body';
my $idle = Weir::Http2Stream::connect($c, 9, ':path' => '/short');
is Weir::WebSocket::echo($idle, 'a'), 'a', 'one that is used';
like $idle->end, qr/^(?:ended|rst \w+)$/, 'and then falls silent ends with proxy_read_timeout';
is $c->ask(':path' => '/plain'), '200', 'the connection serves on';
$c->close;

done_testing;
