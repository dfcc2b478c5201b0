# An address is no longer listened on: what is under way on its connections ends as it would, WebSockets live on, and a connection that is kept
# ends with its next answer.  An address that another server has now is that one's from the next request on.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;
use Weir::WebSocket;

my $w      = Weir::Test->new('connections of an address that goes go on')->needs_weir;
my $echo   = $w->peer(\&Weir::WebSocket::echo_peer);
my $origin = $w->origin(sub ($c) {
    $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    $c->wait_for('gone');
    $c->raw("6\r\nsecond\r\n0\r\n\r\n");
});
my $more = <<"END";
    server {
        listen 127.0.0.1:%%PORT_more%%; http2 on;
        location / { return 200 'more'; }
        location /ws { proxy_pass http://$echo; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; }
        location /long { proxy_pass http://$origin; proxy_buffering off; }
    }
END
my $text = sub ($b) { "server { listen 127.0.0.1:%%PORT_a%%; " . ($b ? '' : 'listen 127.0.0.1:%%PORT_b%%;') . " location / { return 200 'one'; } }"
    . "server { " . ($b ? 'listen 127.0.0.1:%%PORT_b%%;' : 'listen 127.0.0.1:%%PORT_c%%;') . " location / { return 200 'two'; } }" };
$w->conf($text->(0) . $more, workers => 2);
my $ws   = Weir::WebSocket::open($w->client(port => 'more'), '/ws');
my $kept = $w->client(port => 'more');
is $kept->get('/')->body, 'more', 'a connection is kept';
my $h2 = Weir::Http2::client($w, port => $w->port('more'));
is $h2->ask(':path' => '/'), '200', 'one of HTTP/2, too';
my $long = $w->client(port => 'more')->send_request('GET', '/long');
$long->take_until(qr/5\r\nfirst\r\n/);
my $b = $w->client(port => 'b');
is $b->get('/')->body, 'one', 'an address is the first server\'s';

$w->reload($text->(1));
is Weir::WebSocket::echo($ws, 'still'), 'still', 'the address has gone, a WebSocket lives on';
is $b->get('/')->body, 'two', 'an address that moved is the other server\'s, on the same connection';
ok $b->is_open && !$b->eof, 'which stays';
$w->pass('gone');
is $long->take_until(qr/0\r\n\r\n/), "6\r\nsecond\r\n0\r\n\r\n", 'a download ends well';
$kept->send_request('GET', '/');
my $answer = $kept->read_response;
isnt $answer->status, 0, 'a kept connection has one more answer';
is lc($answer->header('Connection') // ''), 'close', 'which is its last';
ok $kept->at_eof, 'then it ends';
$h2->request(5001, ':path' => '/');
like $h2->verdict(5001, waits => 1, past_goaway => 1), qr/^[1-5]\d\d$/, 'so has one of HTTP/2';
is $h2->{goaway}{code}, 'NO_ERROR', 'which says so';
$w->reload($text->(1) . $more);
is $w->request('GET', '/', port => 'more')->body, 'more', 'the address comes back';
is Weir::WebSocket::echo($ws, 'even now'), 'even now', 'and the WebSocket is still there';
$ws->close;
$h2->close;

done_testing;
