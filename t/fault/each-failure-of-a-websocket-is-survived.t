use v5.36;
use lib 't/lib';
use Weir::Fault;
use Weir::Test;

my $w      = Weir::Fault->test('each failure of a websocket is survived');
my $fault  = $w->{fault};
my $origin = $w->peer(sub ($c) {
    my $request = $c->read_request_head or return;
    $c->raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    while ($c->fill) {
        $c->raw($c->take(length $c->buffered));
    }
});

$w->conf(<<"CONF", workers => 1, control => 0);
server {
    location /ordinary { return 200 "fine"; }
    location / {
        proxy_pass http://$origin;
        proxy_set_header Upgrade \$http_upgrade;
        proxy_set_header Connection upgrade;
    }
}
CONF

# Bytes there and back three times, then the end: it may come early, but no byte may be another.
sub echo ($n, $how) {
    my $client = $w->client;
    $client->send_request('GET', "/$n", headers => [ 'Upgrade', 'websocket', 'Connection', 'Upgrade',
        'Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==' ]);
    my $word = eval { exchange($client, $n, $how) } // Weir::Fault::judge_end($@);
    $client->close;
    return $word;
}

sub exchange ($client, $n, $how) {
    my $head = $client->read_response_head;
    if ($head->status >= 400) {
        $client->read_body($head);
        return 'refused';
    }
    for my $len (10, 5000, 200_000) {
        my $bytes = substr "$n " x $len, 0, $len;
        $client->send($bytes);
        $client->take($len) eq $bytes or die "other bytes came back\n";
    }
    if ($how eq 'half_close') {
        $client->half_close;
        $client->at_eof or die "more bytes came back\n";
    }
    return 'right';
}

is echo('warm', $_), 'right', "it works: $_" for qw(close half_close);
$fault->baseline;
$fault->sweep('an echo that the client ends', flow => sub ($n) { echo($n, 'close') });
$fault->sweep('an echo that ends in both directions', flow => sub ($n) { echo($n, 'half_close') });

done_testing;
