# A retry that is slow is not hedged when max_retries lets one retry be: the second try beside it would be the second retry.
# With room for two it is; and when the first of them ends its place is free, and the other's is not.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w     = Weir::Test->new('a second try beside a retry has its own place')->needs_weir;
my $fails = $w->origin(sub ($c) { $c->request; $c->reply(503, 'fails') });
my @slow  = map { $w->origin(sub ($c) { $c->wait_for($c->request->{target} =~ m{/(\w+)}); $c->reply(200, 'slow') }) } 1 .. 2;
my $after = 'hedge after=50ms budget=100%; proxy_next_upstream error http_503;';
$w->conf(<<"END", workers => 1);
    upstream one { server $fails; server $slow[0]; server $slow[1]; max_retries 1; }
    upstream two { server $fails; server $slow[0]; server $slow[1]; max_retries 2; }
    server {
        location /one { proxy_pass http://one; $after }
        location /two { proxy_pass http://two; $after }
        location /status { status; }
    }
END
my $told = sub ($name) { decode_json($w->get('/status')->body)->{upstreams}{$name} };

my $client = $w->client->send_request('GET', '/one');
$w->wait_until('the second try is refused', sub { ($told->('one')->{hedges_refused} // 0) == 1 });
is $told->('one')->{caps}{now}{retries}, 1, 'one retry is under way, as many as may be';
is $slow[0]->requests + $slow[1]->requests, 1, 'and one server has it';
$w->pass('one');
is $client->read_response->body, 'slow', 'which answers';
$w->wait_until('no retry is left', sub { $told->('one')->{caps}{now}{retries} == 0 });

$client = $w->client->send_request('GET', '/two');
$w->wait_until('two have it', sub { $slow[0]->requests + $slow[1]->requests == 3 });
is $told->('two')->{caps}{now}{retries}, 2, 'where two may be, two are';
$w->pass('two');
is $client->read_response->body, 'slow', 'the first answer is the client\'s';
$w->wait_until('no retry is left', sub { $told->('two')->{caps}{now}{retries} == 0 });

done_testing;
