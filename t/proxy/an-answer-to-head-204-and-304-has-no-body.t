use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an answer to HEAD, 204 and 304 has no body');
my $origin = $w->peer(sub ($c) {
    while (my $request = $c->read_request) {
        my ($way) = $request->target =~ m{/(\w+)};
        $c->raw({
            head    => "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nX: h\r\n\r\n",
            headch  => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            headnone => "HTTP/1.1 200 OK\r\n\r\n",
            s204    => "HTTP/1.1 204 No Content\r\nX: n\r\n\r\n",
            s204len => "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
            s304    => "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 99\r\n\r\n",
            s205    => "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
            empty   => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            emptych => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        }->{$way});
    }
});
$w->conf("upstream api { server $origin; keepalive 4; } server { location / { proxy_pass http://api; } }", workers => 1);

my $client = $w->client;
my $ask = sub ($method, $way) { $client->send_request($method, "/$way")->read_response(method => $method) };
my $answer = $ask->('HEAD', 'head');
is $answer->status, 200, 'HEAD';
is $answer->header('Content-Length'), 1234, 'with the length that a GET would have';
is $ask->('HEAD', $_)->status, 200, "HEAD: $_" for qw(headch headnone);
is $ask->('GET', 's204')->header('X'), 'n', 'No Content';
is $ask->('GET', 's204len')->status, 204, '204 with a length of 0';
$answer = $ask->('GET', 's304');
is $answer->header('ETag'), '"a"', 'Not Modified';
is $ask->('GET', $_)->body, '', "GET: $_" for qw(s205 empty emptych);
is $ask->('POST', 'empty')->body, '', 'POST: empty';
ok $client->is_quiet, 'not a byte is left over';
is $origin->connections, 1, 'and the connection to the peer served all of it';

done_testing;
