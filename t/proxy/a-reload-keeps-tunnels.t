use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a reload keeps tunnels');
my $hello  = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
my $origin = $w->origin(sub ($c) {
    $c->raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    while ($c->fill) { $c->raw($c->take(length $c->buffered)) }
});
my $conf = sub ($text) { "server { location / { proxy_pass http://$origin; proxy_set_header Upgrade \$http_upgrade; } location /n { return 200 '$text'; } }" };
$w->conf($conf->('one'));

my @clients = map { $w->client->send($hello) } 1 .. 8;
is $_->read_response->status, 101, 'open' for @clients;
for my $n (qw(two three four)) {
    $w->reload($conf->($n));
    is $w->get('/n')->body, $n, "the new configuration ($n) serves";
    is join(' ', map { $_->send("$n\n")->take_until(qr/\n/) } @clients), join(' ', ("$n\n") x 8), 'and each tunnel lives';
}
$w->reload('server { location /n { return 200 "five"; } }');
is $_->send("x\n")->take(2), "x\n", 'even when its location has gone' for @clients;

done_testing;
