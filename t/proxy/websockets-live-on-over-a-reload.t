use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::WebSocket;

my $w    = Weir::Test->new('WebSockets live on over a reload');
$w->needs_weir;
my $peer = $w->peer(\&Weir::WebSocket::echo_peer);
my $text = sub ($n) { "server { location /n { return 200 $n; } location / { proxy_pass http://$peer; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; } }" };
$w->conf($text->(0));

my @open = map { Weir::WebSocket::open($w->client) } 1 .. 20;
for my $n (1 .. 5) {
    $w->reload($text->($n));
    is $w->get('/n')->body, $n, "reload $n";
    is_deeply [ map { Weir::WebSocket::echo($_, "hello $n") } @open ], [ ("hello $n") x 20 ],
        'every one of them answers';
}
is $peer->connections, 20, 'on the connections they began with';

done_testing;
