use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('early hints go on and 100 does not');
my $origin = $w->origin(sub ($c) {
    $c->raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n");
    $c->wait_for('go') if $c->served == 1;
    $c->raw("HTTP/1.1 103 Early Hints\r\nLink: </b.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
    $c->reply(200, 'ok');
});
$w->conf("upstream api { server $origin; keepalive 4; } server { location / { proxy_pass http://api; } }", workers => 1);

my $client = $w->client->send_request('GET', '/');
my $first = $client->read_response_head;
is $first->status, 103, 'the hint arrives while the peer still works';
is $first->header('Link'), '</a.css>; rel=preload', 'with its fields';
is $first->header('X-Hop'), undef, 'but not those of the connection';
$w->pass('go');
my $answer = $client->read_response;
is_deeply [ map { $_->status } $answer->interim ], [ 103, 102 ], 'the others before the answer';
is $answer->body, 'ok', 'then the answer';

my @interim = $client->get('/')->interim;
is_deeply [ map { $_->status } @interim ], [ 103, 103, 102 ], 'all at once: the same';
is_deeply [ $w->client->send("GET / HTTP/1.0\r\n\r\n")->read_response->interim ], [], 'a client of HTTP/1.0 gets none';
is $origin->connections, 1, 'the connection to the peer is kept';

done_testing;
