use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a request in flight finishes on the old configuration');
my $origin = $w->origin(sub ($c) { $c->wait_for('reloaded') if $c->request->target eq '/slow';
    $c->reply(200, $c->request->header('X-Conf')) });
my $text   = sub ($name) { "server { location / { proxy_pass http://$origin; proxy_set_header X-Conf $name; } }" };
$w->conf($text->('old'));

my $slow = $w->client->send_request('GET', '/slow');
$origin->wait_requests(1);
$w->reload($text->('new'));
is $w->get('/')->body, 'new', 'new requests use the new one';
$w->pass('reloaded');
is $slow->read_response->body, 'old', 'the one in flight ended as it began';

done_testing;
