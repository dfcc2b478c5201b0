use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a body over client_max_body_size is 413');
my $origin = $w->echo_origin;
$w->conf(<<"END");
    client_max_body_size 10;
    server {
        location / { proxy_pass http://$origin; }
        location /stream { proxy_pass http://$origin; proxy_request_buffering off; }
        location /any { proxy_pass http://$origin; client_max_body_size 0; }
        location /own { return 200 own; }
    }
END

is $w->request('POST', '/', body => 'x' x 10)->status, 200, 'at the limit';
for my $path ('/', '/stream') {
    is $w->request('POST', $path, body => 'x' x 11)->status, 413, "$path: over it by length";
    my $client = $w->client;
    is $client->send("POST $path HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nxxxxxx\r\n6\r\nxxxxxx\r\n0\r\n\r\n")->read_response->status, 413,
        "$path: over it by chunks";
    ok $client->at_eof, "$path: and the connection ends";
}
is $w->request('POST', '/any', body => 'x' x 100_000)->status, 200, '0 is no limit';
is length $w->seen($w->request('POST', '/any', body => 'x' x 100_000))->body, 100_000, 'and all of it arrives';
is_deeply [ grep { m{^POST /$} } $origin->lines ], ['POST /'], 'a body that is too large is not sent up';

# The client is in the middle of sending and reads the answer all the same (lingering).
my $client = $w->client;
$client->send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" . ('x' x 3_000_000));
is $client->read_response->status, 413, 'the answer is not lost in a reset';

done_testing;
