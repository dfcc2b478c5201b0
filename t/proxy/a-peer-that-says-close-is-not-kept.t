use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a peer that says close is not kept');
my $origin = $w->peer(sub ($c) {
    while (my $request = $c->read_request) {
        my ($say) = $request->target =~ m{^/(.*)};
        $c->raw($say eq '1.0'  ? "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
              : $say eq 'kept' ? "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
              : $say eq 'end'  ? "HTTP/1.1 200 OK\r\n\r\nok"
              : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x, Close\r\n\r\nok");
        return $c->close if $say eq 'end';
    }
});
$w->conf("upstream api { server $origin; keepalive 4; } server { location / { proxy_pass http://api; } }", workers => 1);

my $client = $w->client;
my $n = 0;
for my $say (qw(1.0 close end)) {
    my $answer = $client->get("/$say");
    is $answer->body, 'ok', "$say: answered";
    ok $answer->is_kept, "$say: our client is kept all the same";
    $origin->wait_ended(++$n);
}
is $client->get('/kept')->body, 'ok', 'keep-alive in 1.0' for 1 .. 3;
is $origin->connections, $n + 1, 'is kept';

done_testing;
