# A peer sends another answer on a kept connection, and it comes in the same moment as the next request: it is nobody's answer (response queue
# poisoning), so the request goes over another connection.  The worker is stopped meanwhile, so that both are there when it looks.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('an answer that a peer sends unasked answers no request')->needs_weir;
my $peer = $w->peer(sub ($c) {
    $c->read_request;
    $c->reply(200, 'connection ' . $c->number);
    my $n = $c->number;
    $c->wait_for("asked $n");
    $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    $c->pass("said $n");
    $c->note("again $n") if eval { $c->read_request };
});
$w->conf(<<"END", workers => 1);
    upstream api { server $peer; keepalive 4; }
    server { location / { proxy_pass http://api; } }
END

my $client = $w->client;
is $client->get('/')->body, 'connection 1', 'a connection that is kept';
my $n = 0;
for my $method (qw(GET DELETE POST)) {
    $n++;
    $w->stop_workers;
    $client->send_request($method, "/$n");
    $w->pass("asked $n");
    $w->wait_for("said $n");
    $w->continue_workers;
    is $client->read_response->body, 'connection ' . ($n + 1), "$method: answered by who was asked";
}
is_deeply [ $peer->notes ], [], 'nothing was asked on the spoilt ones';

done_testing;
