# Half-closes are passed on, each way; resets end both.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a tunnel ends with either side');
my $hello  = "GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
my $origin = $w->peer(sub ($c) {
    my $way = $c->read_head->target;
    $c->raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    if    ($way eq '/client-half') { my $all = $c->take_all; $c->raw("had $all"); $c->note('end of client-half'); }
    elsif ($way eq '/peer-half')   { $c->raw('bye'); $c->half_close; $c->note($c->take_all); }
    elsif ($way eq '/peer-close')  { $c->raw('bye'); }
    elsif ($way eq '/peer-reset')  { $c->take(1); $c->reset; }
    elsif ($way eq '/client-gone') { $c->take_all; $c->note('client gone'); }
    elsif ($way eq '/quiet')       { $c->take_all; $c->note('quiet'); }
});
$w->conf(<<"END", workers => 1);
    server {
        proxy_set_header Upgrade \$http_upgrade;
        location / { proxy_pass http://$origin; }
        location /quiet { proxy_pass http://$origin; proxy_read_timeout 200ms; }
    }
END

my $open = sub ($way) {
    my $client = $w->client->send(sprintf $hello, $way);
    is $client->read_response->status, 101, "$way: open";
    return $client;
};

my $client = $open->('/client-half');
$client->send('all of it')->half_close;
is $client->take_all, 'had all of it', 'the client ends its side and still hears the peer';

$client = $open->('/peer-half');
is $client->take_all, 'bye', 'the peer ends its side';
$client->send('and you?');
$client->half_close;
$origin->wait_note('and you?');
pass 'and still hears the client';

$client = $open->('/peer-close');
is $client->take_all, 'bye', 'the peer closes: the client has all that was sent';
$client->close;

$client = $open->('/peer-reset')->send('x');
ok $client->at_eof, 'the peer resets: the client is closed';

$client = $open->('/client-gone');
$client->reset;
$origin->wait_note('client gone');
pass 'the client resets: the peer is closed';

$client = $open->('/quiet');
ok $client->at_eof, 'nothing for proxy_read_timeout: closed';
$origin->wait_note('quiet');
like $w->wait_for_log(qr/.*proxy_read_timeout.*/), qr/tunnel/, 'the log tells';

done_testing;
