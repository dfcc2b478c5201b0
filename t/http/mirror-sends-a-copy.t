# mirror: each request goes to another place too, with its body or without; what becomes of the copy is nobody's business.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('mirror sends a copy');
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join '|', $r->method, $r->target, $r->body) });
my $copy   = $w->origin(sub ($c) { my $r = $c->request; $c->note(join '|', $r->method, $r->target, length $r->body, substr($r->body, 0, 10), $r->header('X-From') // '-'); $c->reply(500, 'nobody reads this' x 1000) });
my $second = $w->origin(sub ($c) { $c->note($c->request->target); $c->reply(200, 'x') });
my $hang   = $w->peer(sub ($c) { $c->read_request; $c->note('copied'); $c->wait_for('go on'); $c->close });
my $dead   = $w->refused_peer;
$w->allow_log(qr/\[emerg\]/, qr/upstream\.|refused|prematurely|Connection refused/);
$w->conf(<<"END");
    client_body_buffer_size 8k;
    server {
        location / { mirror /copy; proxy_pass http://$origin; }
        location = /copy { internal; proxy_set_header X-From \$request_uri; proxy_pass http://$copy/copied; }
        location /two { mirror /copy; mirror /second; proxy_pass http://$origin; }
        location = /second { internal; proxy_pass http://$second/second; }
        location /nobody { mirror /copy; mirror_request_body off; proxy_pass http://$origin; }
        location /off { mirror off; proxy_pass http://$origin; }
        location /dead { mirror /copydead; proxy_pass http://$origin; }
        location = /copydead { internal; proxy_pass http://$dead; }
        location /slow { mirror /copyslow; proxy_pass http://$origin; }
        location = /copyslow { internal; proxy_pass http://$hang; }
        location /own { mirror /copy; empty_gif; }
        location /streamed { mirror /copy; proxy_request_buffering off; proxy_pass http://$origin; }
    }
END
is $w->get('/a?b=c')->body, 'GET|/a?b=c|', 'the answer is the first place\'s';
$copy->wait_note('GET|/copied?b=c|0||/a?b=c');
pass 'the copy has the query, and knows what was asked for';
is $w->request('POST', '/p', body => 'a body')->body, 'POST|/p|a body', 'with a body';
$copy->wait_note('POST|/copied|6|a body|/p');
pass 'the copy has it too';
my $large = '0123456789' x 30_000;
ok $w->request('POST', '/large', body => $large)->body eq "POST|/large|$large", 'a large one';
$copy->wait_note('POST|/copied|300000|0123456789|/large');
pass 'is copied whole';
ok $w->request('PUT', '/streamed', body => $large)->body eq "PUT|/streamed|$large", 'one that was not to be buffered';
$copy->wait_note('PUT|/copied|300000|0123456789|/streamed');
is $w->request('POST', '/nobody', body => 'a body')->body, 'POST|/nobody|a body', 'mirror_request_body off';
$copy->wait_note('POST|/copied|0||/nobody') unless $w->is_nginx;
pass 'the copy has none';
is $w->get('/two')->status, 200, 'two of them';
$second->wait_note('/second');
$copy->wait_note('GET|/copied|0||/two');
is $w->get("/own")->header("Content-Type"), "image/gif", 'beside an answer of our own';
$copy->wait_note('GET|/copied|0||/own');
is $w->get('/dead')->body, 'GET|/dead|', 'a place that is down harms nobody';
my $before = $copy->requests;
is $w->get('/off')->status, 200, 'off';
is $copy->requests, $before, 'sends none';
unless ($w->is_nginx) {                                # whose connection waits for it
    my $client = $w->client;
    is $client->get('/slow')->body, 'GET|/slow|', 'a slow place keeps nobody waiting';
    $hang->wait_note('copied');
    is $client->get('/off')->body, 'GET|/off|', 'not even the next request of the connection';
    $client->close;
    is $w->get('/off')->status, 200, 'nor is it harmed by a client that leaves';
}
$hang->stop;

for my $bad ([ 'mirror;', qr/invalid number of arguments/ ], [ 'mirror /a; mirror off;', qr/off/ ], [ 'mirror off; mirror /a;', qr/off|duplicate/ ], [ 'mirror_request_body maybe;', qr/"maybe"/ ]) {
    my ($code, $said) = $w->check_conf("server { location / { $bad->[0] } }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told' unless $w->is_nginx;
}
done_testing;
