# Slow heads, slow bodies and slow readers at the same time, one worker.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('slow clients do not slow others');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'x' x ($c->request->target eq '/large' ? 3_000_000 : 10)) });
$w->conf("client_header_timeout 1s; client_body_timeout 1s; send_timeout 1s; server { location / { proxy_pass http://$origin; } }", workers => 1);

my @slow;
for (1 .. 40) {
    push @slow, $w->client->send("GET / HTTP/1.1\r\nHost: loc"),
        $w->client->send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx");
}
push @slow, map { $w->client(rcvbuf => 4096)->send_request('GET', '/large') } 1 .. 10;
my $started = Time::HiRes::time();
my @status  = map { $w->get('/')->status } 1 .. 50;
is_deeply [ grep { $_ != 200 } @status ], [], 'every good request is answered';
cmp_ok Time::HiRes::time() - $started, '<', 3, 'soon';
is scalar(grep { $_->take_all =~ / 408 / } @slow[ 0 .. 79 ]), 80, 'and each slow sender ends with 408';

done_testing;
