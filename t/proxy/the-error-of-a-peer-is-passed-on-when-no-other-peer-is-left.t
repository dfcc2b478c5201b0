# proxy_next_upstream http_500: a peer that rests after its failures, or has max_conns requests, is nobody to ask instead.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('the error of a peer is passed on when no other peer is left');
my $dead   = $w->refused_peer;
my $unwell = $w->origin(sub ($c) { $c->reply(500, 'of the peer') });
my $busy   = $w->origin(sub ($c) { $c->wait_for('done') if $c->request->target eq '/full/wait'; $c->reply(200, 'busy') });
$w->conf(<<"END", workers => 1);
    upstream rests { server $dead fail_timeout=1h; server $unwell max_fails=0; }
    upstream full  { server $busy max_conns=1; server $unwell max_fails=0; }
    log_format causes '\$request_uri \$status "\$weir_cause" \$upstream_status';
    access_log logs/causes.log causes;
    server {
        proxy_next_upstream error http_500;
        location /rests/ { proxy_pass http://rests; }
        location /full/  { proxy_pass http://full; }
    }
END

my $client = $w->client;
for my $n (1 .. 4) {
    my $answer = $client->get("/rests/$n");
    is join(' ', $answer->status, $answer->body), '500 of the peer', "request $n: the other one rests";
    like $w->wait_for_access(qr{^/rests/$n (.*)}m, 'causes.log'), qr/^500 "\S*" (?:502, )?500$/, 'and the log tells who answered';
}

my $first = $w->client->send_request('GET', '/full/wait');
$w->wait_until('the first is under way', sub { $busy->requests == 1 });
for my $n (1 .. 4) {
    my $answer = $client->get("/full/$n");
    is join(' ', $answer->status, $answer->body), '500 of the peer', "request $n: the other one has no room";
}
$w->pass('done');
is $first->read_response->body, 'busy', 'it had the whole time';
is join(' ', sort map { $client->get("/full/again$_")->body } 1 .. 4), 'busy busy busy busy', 'with room it is asked again';

done_testing;
