use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('the pool keeps no more than its limit');
my $origin = $w->origin(sub ($c) { $c->wait_for('all') if $c->request->target eq '/all'; $c->reply(200, $c->number) });
$w->conf(<<"END", workers => 1);
    upstream two  { server $origin; keepalive 2; }
    upstream none { server $origin; keepalive 0; }
    server {
        location /     { proxy_pass http://two; }
        location /none { proxy_pass http://none; }
    }
END

my @clients = map { $w->client->send_request('GET', '/all') } 1 .. 5;
$origin->wait_requests(5);
$w->pass('all');
is $_->read_response->status, 200, 'answered' for @clients;
$origin->wait_ended(3);
is $origin->connections - $origin->ended, 2, 'of five connections two are kept';
is $w->get('/')->status, 200, 'another request' for 1 .. 4;
is $origin->connections, 5, 'went over the kept ones';

is $w->get('/none')->status, 200, 'keepalive 0';
$origin->wait_ended(4);
like +($origin->journal)[-1], qr/^Connection: close\r$/m, 'asks to close';

done_testing;
