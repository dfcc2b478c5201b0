use v5.36;
use lib 't/lib';
use Weir::Test;

my $w     = Weir::Test->new('max_conns limits what a peer is given');
my $first = $w->origin(sub ($c) { $c->wait_for('answer'); $c->reply(200, 'first') });
my $other = $w->origin(sub ($c) { $c->reply(200, 'other') });
$w->conf(<<"END", workers => 1);
    upstream two { server $first max_conns=1; server $other backup; }
    upstream one { server $first max_conns=1; }
    server {
        location /two { proxy_pass http://two; }
        location /one { proxy_pass http://one; }
    }
END

my $slow = $w->client->send_request('GET', '/two');
$first->wait_requests(1);
is $w->get('/two')->body, 'other', 'the first has its one connection: the other answers';
my $alone = $w->client->send_request('GET', '/one');
$first->wait_requests(2);
is $w->get('/one')->status, 502, 'nobody else in the group: 502';
$w->pass('answer');
is $_->read_response->body, 'first', 'the first one answers' for $slow, $alone;
is $w->get('/one')->body, 'first', 'and then may be asked again';
is $other->requests, 1, 'the other saw one';

done_testing;
