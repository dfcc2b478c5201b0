use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a streamed body goes on as it comes');
my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    $c->note($request->target . ' ' . $request->framing);
    for my $n (1 .. 3) {
        $c->take_until(qr/part$n(?:\r\n)?/);
        $c->note($request->target . " part$n");
    }
    $c->take_until(qr/0\r\n\r\n/) if $request->framing eq 'chunked';
    $c->reply(200, 'ok');
}, body => 0);
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    proxy_request_buffering off;
    server { location / { proxy_pass http://api; } }
END

for my $way (qw(length chunked)) {
    my $client = $w->client;
    $client->send("POST /$way HTTP/1.1\r\nHost: x\r\n" . ($way eq 'length' ? "Content-Length: 15\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n"));
    $origin->wait_note("/$way $way");
    pass "$way: the peer is asked before the body is here";
    for my $n (1 .. 3) {
        $client->send($way eq 'length' ? "part$n" : "5\r\npart$n\r\n");
        $origin->wait_note("/$way part$n");
        pass "$way: part $n arrives";
    }
    $client->send("0\r\n\r\n") if $way eq 'chunked';
    is $client->read_response->body, 'ok', "$way: answered";
}
is $origin->connections, 1, 'over one connection';

done_testing;
