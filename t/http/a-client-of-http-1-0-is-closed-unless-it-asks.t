use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a client of HTTP/1.0 is closed unless it asks');
my $origin = $w->origin(sub ($c) { $c->reply_chunked(200, [ 'a', 'bc', 'def' ]) });
$w->conf("server { location / { return 200 own; } location /chunked { proxy_pass http://$origin; } }");

my $client = $w->client;
my $answer = $client->send("GET / HTTP/1.0\r\n\r\n")->read_response;
is $answer->body, 'own', 'answered without Host';
ok $client->at_eof, 'and closed';

$client = $w->client;
for (1 .. 3) {
    $answer = $client->send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->read_response;
    is lc $answer->header('Connection'), 'keep-alive', 'kept when asked';
}
$client = $w->client;
$answer = $client->send("GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->read_response;
is $answer->framing, 'close', 'what has no length ends with the connection';
is $answer->body, 'abcdef', 'and is not chunked';

done_testing;
