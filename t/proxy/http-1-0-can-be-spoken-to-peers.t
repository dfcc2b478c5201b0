use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('HTTP/1.0 can be spoken to peers');
my $origin = $w->peer(sub ($c) {
    while (my $request = $c->read_request) {
        my $seen = $request->version . ' ' . ($request->header('Connection') // '-') . ' ' . $request->framing . ' ' . $request->body;
        $c->raw("HTTP/1.0 200 OK\r\n" . ($request->target eq '/kept' ? "Connection: keep-alive\r\nContent-Length: " . length($seen) . "\r\n" : '') . "\r\n$seen");
        return $c->close if $request->target ne '/kept';
    }
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 2; }
    proxy_http_version 1.0;
    server {
        location /        { proxy_pass http://api; }
        location /stream  { proxy_pass http://api; proxy_request_buffering off; }
        location /address { proxy_pass http://$origin; }
    }
END

my $client = $w->client;
is $client->get('/kept')->body, '1.0 keep-alive none ', 'kept when both say so' for 1 .. 2;
is $origin->connections, 1, 'over one connection';
is $client->get('/')->body, '1.0 keep-alive none ', 'an answer that ends with the connection';
is $client->get('/address')->body, '1.0 close none ', 'no group';
for my $target ('/', '/stream') {
    $client->send("POST $target HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    my $answer = $client->read_response;
    is $answer->body, '1.0 keep-alive length hello', "$target: a chunked body goes with its length";
    is $answer->framing, 'chunked', 'and the answer without one is chunked for the client';
}

done_testing;
