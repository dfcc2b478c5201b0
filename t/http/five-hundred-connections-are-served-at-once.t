use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('five hundred connections are served at once');
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->target) });
$w->conf_main("daemon off; pid logs/weir.pid; worker_processes 2; worker_rlimit_nofile 8192; error_log logs/error.log info;
    events { worker_connections 4096; }
    http { access_log off; server { listen 127.0.0.1:%%PORT%% backlog=2048;
        location / { return 200 \$uri; } location /up/ { proxy_pass http://$origin; } } }");

my @clients = map { $w->client } 1 .. 500;
for my $round (1 .. 2) {
    $clients[$_]->send_request('GET', "/$round/$_") for 0 .. $#clients;
    is scalar(grep { $clients[$_]->read_response->body eq "/$round/$_" } 0 .. $#clients), 500,
        "round $round: each has its own answer";
}
$clients[$_]->send_request('GET', "/up/$_") for 0 .. 99;
is scalar(grep { $clients[$_]->read_response->body eq "/up/$_" } 0 .. 99), 100, 'from upstream too';

done_testing;
