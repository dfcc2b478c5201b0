use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('hop-by-hop fields stop here');
my $origin = $w->origin(sub ($c) {
    $c->reply(200, join("\n", $c->request->names), 'Connection', 'X-Mine', 'X-Mine', '1', 'Keep-Alive', 'timeout=5', 'Proxy-Connection', 'x',
        'Upgrade', 'h2c', 'Proxy-Authenticate', 'Basic', 'Trailer', 'X', 'X-Yours', '2');
});
$w->conf("upstream api { server $origin; keepalive 2; } server { location / { proxy_pass http://api; } }", workers => 1);

my $client = $w->client;
my $answer = $client->get('/', 'Connection' => 'X-Mine, keep-alive', 'X-Mine' => 1, 'Keep-Alive' => '5', 'Proxy-Connection' => 'keep-alive',
    'TE' => 'trailers', 'Trailer' => 'X', 'Upgrade' => 'h2c', 'X-Yours' => 2);
is $answer->body, "Host\nX-Yours", 'to the peer';
is $answer->header($_), undef, "to the client: no $_" for qw(X-Mine Keep-Alive Proxy-Connection Upgrade Trailer);
is $answer->header('X-Yours'), 2, 'end-to-end fields go on';
ok $answer->is_kept, 'and our connection is as it was';
is $client->get('/')->status, 200, 'it serves again';
is $origin->connections, 1, 'so does the one to the peer';

done_testing;
