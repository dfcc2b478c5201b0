# Back-pressure: memory does not follow the upload's size.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a client waits for a peer that does not read');
my $origin = $w->peer(sub ($c) {
    my $request = $c->read_head;
    $c->wait_for('read');
    if ($request->target eq '/ws') {
        $c->raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        $c->wait_for('read-tunnel');
        $c->raw('had ' . length $c->take(30_000_000));
        return;
    }
    $c->read_body;
    $c->reply(200, 'had ' . length $request->body);
});
$w->conf(<<"END", workers => 1);
    client_max_body_size 0;
    server {
        location / { proxy_pass http://$origin; proxy_request_buffering off; proxy_set_header Upgrade \$http_upgrade; }
    }
END

my $before = $w->start->memory;
my $fill = sub ($client, $bytes) {
    my ($at, $still) = (0, 0);
    while ($at < length $bytes && $still < 20) {
        my $n = syswrite $client->fh, $bytes, 1_000_000, $at;
        $still = $n ? 0 : $still + 1;
        $at += $n // 0;
        select undef, undef, undef, 0.005 unless $n;
    }
    return $at;
};
my $bytes = 'x' x 30_000_000;

my $client = $w->client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n");
my $at = $fill->($client, $bytes);
cmp_ok $at, '<', 30_000_000, "an upload stands still after $at bytes";
cmp_ok $w->memory, '<', $before + 4096, 'the worker grew by less than 4 MiB';
$w->pass('read');
is $client->send(substr $bytes, $at)->read_response->body, 'had 30000000', 'and goes on';

$client = $w->client->send("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
is $client->read_response->status, 101, 'a tunnel';
$at = $fill->($client, $bytes);
cmp_ok $at, '<', 30_000_000, "stands still after $at bytes";
cmp_ok $w->memory, '<', $before + 4096, 'the worker grew by less than 4 MiB';
$w->pass('read-tunnel');
is $client->send(substr $bytes, $at)->take(12), 'had 30000000', 'and goes on';

done_testing;
