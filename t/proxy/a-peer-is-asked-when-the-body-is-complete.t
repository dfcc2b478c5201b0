# proxy_request_buffering on: a slow upload costs the peer nothing.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a peer is asked when the body is complete');
my $origin = $w->echo_origin;
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    client_body_buffer_size 1k;
    client_body_temp_path %%DIR%%/body-temp;
    server { location / { proxy_pass http://api; } }
END

my $body = join '', map { sprintf "%015d\n", $_ } 1 .. 1000;
for my $way (qw(length chunked)) {
    my $client = $w->client;
    $client->send("POST /$way HTTP/1.1\r\nHost: x\r\n" . ($way eq 'length' ? 'Content-Length: ' . length($body) . "\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n"));
    my $before = $origin->connections;
    my @parts  = unpack '(a4000)*', $body;
    for my $part (@parts) {
        $client->send($way eq 'length' ? $part : sprintf "%x\r\n%s\r\n", length $part, $part);
        select undef, undef, undef, 0.01;
    }
    if ($way eq 'chunked') {
        is $origin->connections, $before, "$way: nobody is asked before the last chunk";
        $client->send("0\r\n\r\n");
    }
    my $seen = $w->seen($client->read_response);
    is $seen->body, $body, "$way: all of it, from memory and the file";
    is $seen->framing, 'length', "$way: with its length";
}
my $client = $w->client;
$client->send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n" . 'a' x 1999);
select undef, undef, undef, 0.05;
is $origin->requests, 2, 'a byte is missing: the peer knows nothing of it';
$client->send('a');
is $client->read_response->status, 200, 'and now it does';
is_deeply [ glob $w->dir . '/body-temp/*' ], [], 'no file is left';

done_testing;
