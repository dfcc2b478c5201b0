use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a body that was streamed away is not faked for the fallback');
my $origin = $w->echo_origin;
my $dead   = $w->refused_peer;
my $gives  = $w->origin(sub ($c) { $c->reply(200, '', 'X-Accel-Redirect', '@fallback') });
my $closes = $w->peer(sub ($c) { $c->read_head; $c->note('head'); $c->take(5); $c->close });
$w->conf(<<"END", workers => 1);
    proxy_request_buffering off;
    client_max_body_size 100;
    lingering_timeout 100ms;
    server {
        error_page 502 413 = \@fallback;
        location /closes { proxy_pass http://$closes; }
        location /gives  { proxy_pass http://$gives; }
        location /dead   { proxy_pass http://$dead; }
        location \@fallback { proxy_pass http://$origin; }
    }
END

my $client = $w->client->send("POST /gives HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n" . 'x' x 10);
$w->wait_until('the peer has been connected to', sub { $gives->connections });
$client->send('x' x 80);
is $client->read_response->status, 502, 'a peer that has the body and names another place';
is $origin->requests, 0, '… which cannot have it';
like $w->wait_for_log(qr/the body has gone to another peer.*\n/), qr/cause: upstream\.redirect/, 'and the cause is told';

my $asked = 0;
for my $body ("Content-Length: 10\r\n\r\n0123456789", "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n") {
    my ($kind) = $body =~ /^(\w+)/;
    my ($head, $rest) = $body =~ /^(.*?\r\n\r\n)(.*)/s;         # (a small body that comes with its head is not streamed)
    my $client = $w->client->send("POST /closes HTTP/1.1\r\nHost: x\r\n$head");
    $w->wait_until('the peer has the head', sub { scalar(my @notes = $closes->notes) > $asked });
    $asked++;
    $client->send($rest);
    is $client->read_response->status, 502, "$kind: the first peer had it and failed: its failure stands";
    is $origin->requests, 0, "$kind: the fallback is not asked with less";
}
my $seen = $w->seen($w->client->send("POST /dead HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789")->read_response);
is $seen->body, '0123456789', 'nothing was taken yet: the fallback has all of it';

$seen = $w->seen($w->client->send("POST /dead HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n" . 'x' x 101)->read_response);
is $seen->body, '', 'a body that is too large does not come in by the back door';

done_testing;
