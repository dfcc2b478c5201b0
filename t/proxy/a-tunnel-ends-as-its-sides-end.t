# Half-close each side, reset each side, and the read timeout.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a tunnel ends as its sides end');
my $peer = $w->peer(sub ($c) {
    my $request = $c->read_request;
    $c->raw("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n");
    my $path = $request->target;
    if    ($path eq '/peer-closes')  { $c->raw('last words'); $c->close }
    elsif ($path eq '/peer-resets')  { $c->take(2); $c->reset }
    elsif ($path eq '/peer-halves')  { $c->raw('last words'); $c->half_close; $c->note($c->take_all) }
    elsif ($path eq '/client-ends')  { my $all = $c->take_all; $c->note("$all then the end");
        $c->raw('answer behind the end') }
    else                             { $c->fill; $c->note('ended') }
});
$w->conf("proxy_read_timeout 300ms; server { location / { proxy_pass http://$peer; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; } }");

my $open = sub ($path) {
    my $client = $w->client;
    $client->send("GET $path HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    is $client->read_response->status, 101, "$path: open";
    return $client;
};
is $open->('/peer-closes')->take_all, 'last words', 'the peer closes: all it said arrives first';

my $client = $open->('/peer-resets');
$client->send('go');
$client->take_all;
ok $client->eof, 'the peer resets: the client sees an end';

$client = $open->('/peer-halves');
is $client->take_until(qr/words/), 'last words', 'the peer ends its side';
$client->send('still here');
$client->half_close;
$client->take_all;
pass 'and the client is done too';

$client = $open->('/client-ends');
$client->send('hello');
$client->half_close;
$peer->wait_note('hello then the end');
pass 'the client ends its side: the peer sees it';
$client->take_all;

$client = $open->('/client-vanishes');
$client->reset;
$peer->wait_note('ended');
pass 'the client resets: the peer sees an end';

my $started = Time::HiRes::time();
$client = $open->('/idle');
ok $client->at_eof, 'a silent tunnel ends';
my $took = Time::HiRes::time() - $started;
cmp_ok $took, '>=', 0.28, 'after proxy_read_timeout';
cmp_ok $took, '<', 5, 'and not much later';

done_testing;
