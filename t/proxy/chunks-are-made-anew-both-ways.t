use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('chunks are made anew both ways');
my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n000a\r\n0123456789\r\n0;last\r\nX-Trailer: t\r\n\r\n") if $request->target =~ /down/;
    $c->reply(200, $request->framing . ' ' . ($request->{chunks} // 0) . ' ' . $request->body . ' ' . $request->{trailers}->@*) if $request->target =~ /up/;
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server {
        location / { proxy_pass http://api; }
        location /streamed { proxy_pass http://api; proxy_request_buffering off; }
    }
END

my $client = $w->client;
my $answer = $client->get('/down');
is $answer->body, 'abc0123456789', 'to the client: the body';
is $answer->framing, 'chunked', 'in chunks without extensions (or this client would have refused)';

my $chunked = "Transfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0005\r\nhello\r\n0\r\nX-Trailer: t\r\n\r\n";
$client->send("POST /up HTTP/1.1\r\nHost: x\r\n$chunked");
is $client->read_response->body, 'length 0 abchello 0', 'to the peer, buffered: a length';
$client->send("POST /streamed/up HTTP/1.1\r\nHost: x\r\n$chunked");
like $client->read_response->body, qr/^chunked [12] abchello 0$/, 'to the peer, streamed: chunks of our own, no trailer';

my $old = $w->client->send("GET /down HTTP/1.0\r\nHost: x\r\n\r\n");
$answer = $old->read_response;
is $answer->framing, 'close', 'to a client of HTTP/1.0: up to the close';
is $answer->body, 'abc0123456789', 'the same body';

done_testing;
