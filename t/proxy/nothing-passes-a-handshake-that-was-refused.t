# A tunnel only after a 101 that matches; early bytes never reach the peer as a request.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('nothing passes a handshake that was refused');
my $head   = "GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
my $smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
my $origin = $w->origin(sub ($c) {
    my $target = $c->request->target;
    if ($target =~ m{/(\d+)}) { return $c->reply($1, "no: $1") }
    if ($target eq '/accept') {
        select undef, undef, undef, 0.05;
        $c->raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        $c->raw('got ' . $c->take(length $smuggled));
        $c->close;
    }
    if ($target eq '/other')  { $c->raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n"); $c->note('other ' . $c->take_all) }
    if ($target eq '/bare')   { $c->raw("HTTP/1.1 101 Switching Protocols\r\n\r\n"); $c->note('bare ' . $c->take_all) }
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    lingering_timeout 100ms;
    server { location / { proxy_pass http://api; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; } }
    server { server_name plain; location / { proxy_pass http://api; } }
END

for my $status (200, 302, 400, 403, 426, 503) {
    my $client = $w->client->send(sprintf($head, "/$status") . $smuggled);
    my $answer = $client->read_response;
    is $answer->status, $status, "the peer answers $status: passed on";
    is $answer->body, "no: $status", 'with its body';
    is $answer->header('Upgrade'), undef, 'no Upgrade';
    ok $client->at_eof, 'then the end: what was sent early is no request';
}
my $client = $w->client->send(sprintf($head, '/accept') . $smuggled);
is $client->read_response->status, 101, 'accepted';
is $client->take_all, "got $smuggled", 'what was sent early is for the peer behind the tunnel, after its 101';

for my $way (qw(other bare)) {
    $client = $w->client->send(sprintf($head, "/$way") . $smuggled);
    is $client->read_response->status, 502, "a 101 that does not match ($way): 502";
    ok $client->at_eof, 'and the end' if $way eq 'other';
    $client->close;
    $origin->wait_note("$way ");
    pass 'not a byte of what was sent early reached the peer';
}
is scalar(grep { /smuggled/ } $origin->lines), 0, 'nobody saw a request in it';

$client = $w->client->send(sprintf($head, '/200') =~ s/Host: x/Host: plain/r);
is $client->read_response->status, 200, 'a location that does not pass Upgrade on: an ordinary request';
unlike +($origin->journal)[-1], qr/^Upgrade:/mi, 'without it';

done_testing;
