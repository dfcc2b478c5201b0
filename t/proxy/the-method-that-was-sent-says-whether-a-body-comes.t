# proxy_method: whether an answer has a body is judged by the method that the peer was sent, not by the client's (RFC 9112 §6.3).
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('the method that was sent says whether a body comes');
$w->needs_weir;
my $origin = $w->origin(sub ($c) {
    $c->request->method eq 'HEAD' ? $c->write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Sent: HEAD\r\n\r\n") : $c->write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Sent: GET\r\n\r\nhello");
});
$w->conf(<<"END", workers => 1);
    upstream one { server $origin; keepalive 4; }
    proxy_read_timeout 10s;
    server {
        location /head { proxy_method HEAD; proxy_pass http://one; }
        location /get  { proxy_method GET; proxy_pass http://one; }
        location /     { proxy_pass http://one; }
    }
END
my $client = $w->client;
for my $round (1 .. 3) {
    my $a = $client->send_request('GET', '/head')->read_response(method => 'GET');
    is $a->status, 200, 'a GET that became HEAD is answered';
    is $a->header('X-Sent'), 'HEAD', '… by the answer to HEAD';
    is $a->body, '', '… without a body';
    $a = $client->send_request('HEAD', '/get')->read_response(method => 'HEAD');
    is $a->status, 200, 'a HEAD that became GET is answered';
    is $a->header('X-Sent'), 'GET', '… by the answer to GET';
    is $client->send_request('GET', '/')->read_response(method => 'GET')->body, 'hello', 'the next request gets its own answer';
}
done_testing;
