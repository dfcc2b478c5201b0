# The end of the client's side comes in the same moment as its request: no later edge tells of it, and the peer is freed all the same.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a client that leaves with its request frees the peer');
my $origin = $w->peer(sub ($c) { $c->take_all; $c->close });                   # until Weir closes
$w->conf(<<"END", workers => 1);
    log_format ends '\$request_uri \$status';
    access_log logs/ends.log ends;
    server { location / { proxy_pass http://$origin; } location /own { return 200 text; } }
END
for my $i (1 .. 20) {
    my $client = $w->client;
    $client->send("GET /$i HTTP/1.1\r\nHost: localhost\r\n\r\n");
    $client->close;
}
is $w->wait_for_access(qr{^/$_ (.*)}m, 'ends.log'), 499, "the log tells who left: $_" for 1 .. 20;
my $half = $w->client->send("GET /own HTTP/1.1\r\nHost: localhost\r\n\r\n");
$half->half_close;
is $half->read_response->body, 'text', 'an answer that is there at once is given to a client that only says no more';
done_testing;
