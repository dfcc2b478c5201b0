# RFC 9110 §10.1.1
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a 100 is sent when the body is wanted');
my $origin = $w->echo_origin;
$w->conf("client_max_body_size 100; server { location / { proxy_pass http://$origin; } location /stream { proxy_pass http://$origin; proxy_request_buffering off; } location /own { return 200 own; } }");

for my $path ('/', '/stream') {
    my $client = $w->client;
    $client->send("POST $path HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    like $client->take_until(qr/\r\n\r\n/), qr{^HTTP/1\.1 100 }, "$path: 100 before a byte of the body was sent";
    my $seen = $w->seen($client->send('hello')->read_response);
    is $seen->body, 'hello', "$path: then the body";
    ok !defined $seen->header('Expect'), "$path: Expect is answered here and not passed on";
}
my $client = $w->client;
$client->send("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n");
my $answer = $client->read_response;
is $answer->status, 413, 'a body that is too large is not asked for';
is scalar $answer->interim, 0, 'no 100 was sent';

$client = $w->client;
$answer = $client->send("POST /own HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")->read_response;
is $answer->status, 200, 'an answer that needs no body comes at once';
# Whether or not the body now comes: no byte of it may be read as a request.
$client->send("GET /evil HTTP/1.1\r\nHost: localhost\r\n\r\n");
unlike $client->take_all, qr/^HTTP.*HTTP/s, 'and what follows is not two answers'
    if lc($answer->header('Connection') // '') eq 'close';

done_testing;
