# RFC 9110 §7.8, §15.5.22: a 426 must say to what; other answers may.  h2c, HTTP and TLS are of the peer's connection, which is not the client's.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an upgrade field of an answer reaches the client');
my $origin = $w->origin(sub ($c) {
    my ($status, $offer) = $c->request->target =~ m{/(\d+)/(.*)};
    $c->reply($status, 'x', 'Upgrade', $offer =~ tr/+/ /r, 'Connection', 'upgrade');
});
$w->conf("server { location / { proxy_pass http://$origin; } location /hidden { proxy_hide_header Upgrade; proxy_pass http://$origin; } }");

my $client = $w->client;
for my $case ([ 200, 'SPDY/3.1' ], [ 426, 'websocket' ], [ 426, 'IRC/6.9,+RTA/x11' ]) {
    my $answer = $client->get("/$case->[0]/$case->[1]");
    is $answer->status, $case->[0], "a $case->[0]";
    is $answer->header('Upgrade'), $case->[1] =~ tr/+/ /r, "with $case->[1]";
}
SKIP: {
    skip 'for Weir only', 7 if $w->is_nginx;
    like $client->get('/426/websocket')->header('Connection'), qr/\bupgrade\b/, 'and says so in Connection';
    unlike $client->get('/426/h2c')->header('Connection'), qr/\bupgrade\b/, 'only then';
    is $client->get("/200/$_")->header('Upgrade'), undef, "not $_" for 'h2c', 'h2,h2c', 'TLS/1.0,+HTTP/1.1', 'HTTP/2.0';
    is $client->get('/hidden/426/websocket')->header('Upgrade'), undef, 'nor what is hidden';
}

done_testing;
