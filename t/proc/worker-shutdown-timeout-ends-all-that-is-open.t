# worker_shutdown_timeout: what is open at its time is closed, whatever it is: a request, HTTP/2 streams, tunnels, an upload, a body that is read away.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Http2;
use Weir::Http2Stream;
use Weir::Test;
use Weir::WebSocket;

my $w      = Weir::Test->new('worker_shutdown_timeout ends all that is open')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->wait_for('never') });
my $tunnel = $w->peer(\&Weir::WebSocket::echo_peer);
$w->allow_bad;
$w->conf(<<"END", workers => 1, control => 0, main => 'worker_shutdown_timeout 400ms;');
    lingering_time 60s; lingering_timeout 60s;
    server {
        http2 on;
        proxy_http_version 1.1;
        location / { proxy_pass http://$origin; }
        location /ws { proxy_pass http://$tunnel; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; }
        location /no { return 413; }
    }
END
$w->start;
$w->workers_may_change->descriptors_may_stay;

my %open = (
    'a request under way'        => $w->client->send_request('GET', '/a'),
    'an upload'                  => $w->client->send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc"),
    'a head that is not whole'   => $w->client->send("GET /x HTTP/1.1\r\nHos"),
    'a connection just opened'   => $w->client,
    'a body that is read away'   => $w->client->send("POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nabc"),
    'a tunnel'                   => Weir::WebSocket::open($w->client, '/ws'),
);
is Weir::WebSocket::echo($open{'a tunnel'}, 'x'), 'x', 'the tunnel stands';
my $h2 = Weir::Http2::client($w);
$h2->send(Weir::Http2::headers(1, 'END_STREAM END_HEADERS', Weir::Http2::request_fields(':path' => '/two')));
my $ws = Weir::Http2Stream::connect(Weir::Http2::client($w), 1, ':path' => '/ws');
$origin->wait_requests(2);

my $since = time;
$w->signal('QUIT');
is $w->wait_exit, 0, 'all end';
my $took = time - $since;
cmp_ok $took, '>=', 0.3, 'not before its time';
cmp_ok $took, '<', 3, "nor long after it";
like $w->error_log, qr/worker_shutdown_timeout: \d+ connections are cut/, 'which is told';
for my $what (sort keys %open) {
    ok defined eval { $open{$what}->take_all; 1 }, "$what is closed";
}
$w->pass('never');
done_testing;
