use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('pipelined requests are answered in order');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'up ' . $c->request->target . ' ' . $c->request->body) });
$w->conf("server { location / { proxy_pass http://$origin; } location /own/ { return 200 \"own \$uri\"; } }");

my $text = join '', map { "GET /" . ($_ % 3 ? '' : 'own/') . "$_ HTTP/1.1\r\nHost: localhost\r\n\r\n" } 1 .. 100;
for my $way ('send', 'send_dribbled') {
    my $client = $w->client;
    $client->$way($text) if $way eq 'send';
    $client->$way(substr $text, 0, 500), $client->send(substr $text, 500) if $way ne 'send';
    my @bodies = map { $client->read_response->body } 1 .. 100;
    is_deeply \@bodies, [ map { $_ % 3 ? "up /$_ " : "own /own/$_" } 1 .. 100 ], "100 of them ($way)";
    $client->close;
}
my $client = $w->client;
$client->send(join '', map { "POST /$_ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhell$_" } 1 .. 9);
is $client->read_response->body, "up /$_ hell$_", "with a body, $_" for 1 .. 9;

done_testing;
