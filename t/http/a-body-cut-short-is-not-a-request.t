# Then FIN, RST or silence; the upstream never sees a complete request.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a body cut short is not a request');
my $origin = $w->peer(sub ($c) {
    while (my $r = $c->read_request) { $c->note('complete ' . $r->target); $c->reply(200, 'ok') } });
$w->allow_bad;
$w->conf("client_body_timeout 200ms; upstream o { server $origin; keepalive 4; } server { location / { proxy_pass http://o; } location /stream { proxy_pass http://o; proxy_request_buffering off; } }");

for my $path ('/', '/stream') {
    for my $how ('half_close', 'close', 'reset', 'silence') {
        for my $head ("Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n") {
            my $client = $w->client;
            $client->send("POST $path HTTP/1.1\r\nHost: localhost\r\n$head");
            $client->$how if $how ne 'silence';
            if ($how eq 'half_close' || $how eq 'silence') {
                my @answers = eval { $client->read_responses };
                ok @answers <= 1 && !(grep { $_->status !~ /^4/ } @answers), "$path, $how: 4xx or the end";
            }
            $client->close;
        }
    }
}
is $w->get('/')->status, 200, 'it goes on';
is $w->get('/stream')->status, 200, 'there too';
is_deeply [ $origin->notes ], [ 'complete /', 'complete /stream' ], 'the origin saw only whole requests';

done_testing;
