use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a kept connection survives an error of the upstream');
my $dead = $w->refused_peer;
$w->conf("server { location / { return 200 ok; } location /dead { proxy_pass http://$dead; } location /404 { return 404; } }");

my $client = $w->client;
for (1 .. 5) {
    is $client->get('/dead')->status, 502, 'a refused peer';
    is $client->get('/404')->status, 404, 'a missing page';
    is $client->get('/')->body, 'ok', 'and on';
}
is $client->send_request('POST', '/dead', body => 'hello')->read_response->status, 502, 'with a body';
is $client->get('/')->body, 'ok', 'and on';

done_testing;
