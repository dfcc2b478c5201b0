# Of a client that does not read: its small answers wait, none is lost, cut or doubled when it reads after all; when it does not, it is dropped
# after send_timeout.  Others do not notice either.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('small answers wait for a client that does not read');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'up ' . $c->request->target) });
$w->conf(<<"END");
    keepalive_requests 1000000;
    error_log logs/error.log info;
    server { listen 127.0.0.1:%%PORT%% sndbuf=16k; location / { proxy_pass http://$origin; } location /own/ { return 200 "own \$uri"; } }
    server { listen 127.0.0.1:%%PORT%%; server_name impatient; send_timeout 300ms; location / { return 200 "own \$uri"; } }
END

my $N = 3000;
my $requests = sub ($host) { join '', map { 'GET /' . ($_ % 50 ? 'own/' : '') . "$_ HTTP/1.1\r\nHost: $host\r\n\r\n" } 1 .. $N };
my $answered = sub { scalar(() = Weir::Server::slurp($w->dir . '/logs/access.log') =~ m{^.*GET /(?:own/)?\d+ }mg) };

my $client = $w->client(rcvbuf => 32768);
$client->send($requests->('localhost'));
is $w->get('/own/x')->body, 'own /own/x', 'others are served meanwhile';
$w->wait_until('it is served as far as it reads', sub { $answered->() > 100 });
cmp_ok $answered->(), '<', $N, 'what it does not read is not answered ahead';
my @bodies = map { $client->read_response->body } 1 .. $N;
is_deeply \@bodies, [ map { $_ % 50 ? "own /own/$_" : "up /$_" } 1 .. $N ], 'it gets every answer, in order, once it reads';
$client->close;

my $idle = $w->client(rcvbuf => 4096);
$idle->send($requests->('impatient'));
$w->wait_for_log(qr{took no byte|client timed out});
cmp_ok length($idle->take_all), '<', 100 * $N, 'who does not read within send_timeout does not get all';
is $w->get('/own/x')->body, 'own /own/x', 'others are served after it';

done_testing;
