use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a slow body ends with 408');
my $origin = $w->echo_origin;
$w->conf("client_body_timeout 200ms; server { location / { proxy_pass http://$origin; } location /stream { proxy_pass http://$origin; proxy_request_buffering off; } }");

for my $path ('/', '/stream') {
    my $client = $w->client;
    is $client->send("POST $path HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")->read_response->status, 408, "$path: 408";
    ok $client->at_eof, "$path: and the connection ends";
    $client = $w->client;
    is $client->send("POST $path HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")->read_response->status, 408, "$path, chunked: 408";
}
# The timeout is of a pause, not of the whole.
my $client = $w->client;
$client->send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n");
for (1 .. 8) { $client->is_quiet(0.05); $client->send('x') }
is $w->seen($client->read_response)->body, 'x' x 8, 'a body that only trickles arrives';

done_testing;
