use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a websocket is tunnelled both ways');
my $hello  = "GET %s HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    $c->raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Secret: s\r\n"
        . "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\nwelcome");
    while (length(my $bytes = $c->buffered) || $c->fill) {
        $c->take(length $c->buffered);
        $bytes ||= '';
        $c->raw($bytes);
    }
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server {
        location / {
            proxy_pass http://api;
            proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_hide_header X-Secret;
        }
        location /address {
            proxy_pass http://$origin;
            proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection upgrade;
        }
    }
END

for my $path ('/', '/address') {
    my $client = $w->client->send(sprintf $hello, $path);
    my $answer = $client->read_response;
    is $answer->status, 101, "$path: 101";
    is lc $answer->header('Connection'), 'upgrade', 'Connection';
    is $answer->header('Upgrade'), 'websocket', 'Upgrade';
    is $answer->header('Sec-WebSocket-Accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', "the peer's fields";
    is $answer->header('X-Secret'), undef, 'but not what is hidden' if $path eq '/';
    is $client->take(7), 'welcome', 'what came together with the 101';
    for my $n (1 .. 3) {
        is $client->send("message $n")->take(9), "message $n", "echo $n";
    }
    my $big = join '', map { sprintf "%09d\n", $_ } 1 .. 200_000;
    my $sender = $w->child(sub { $client->send($big) });
    ok $client->take(length $big) eq $big, '2 MB there and back, unchanged';
    $sender->(5);
    $client->close;
}
$origin->wait_ended(2);
like $origin->received, qr/^Upgrade: websocket\r\n/m, 'the peer was asked';
like $origin->received, qr/^Connection: upgrade\r\n/mi, 'in the right form';
like $origin->received, qr/^Sec-WebSocket-Protocol: chat\r\n/m, 'with all fields of the handshake';

done_testing;
