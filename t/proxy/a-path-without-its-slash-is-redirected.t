# nginx: /x of `location /x/ { proxy_pass … }` is redirected to /x/ with 301, its query kept, when no other location names it; absolute_redirect & co. hold.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a path without its slash is redirected');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'from ' . $c->request->target) });
$w->conf(<<"END", workers => 1);
    server {
        server_name name.example;
        location /app/ { proxy_pass http://$origin; }
        location ^~ /final/ { proxy_pass http://$origin; }
        location /rpc/ { grpc_pass grpc://$origin; }
        location /a%b/ { proxy_pass http://$origin; }
        location /exact/ { proxy_pass http://$origin; }
        location = /exact { return 200 exact; }
        location /prefix/ { proxy_pass http://$origin; }
        location /prefix { return 200 prefix; }
        location /files/ { root html; }
        location /nested/ { location /nested/in/ { proxy_pass http://$origin; } return 200 outer; }
        location /relative/ { absolute_redirect off; proxy_pass http://$origin; }
        location /named/ { server_name_in_redirect on; port_in_redirect off; proxy_pass http://$origin; }
        location /maybe/ { if (\$arg_x) { proxy_pass http://$origin; } return 404; }
        location ~ ^/(app|rpc)\$ { return 200 pattern; }
        location / { return 404; }
    }
END
my $port = $w->port;
my $is = sub ($path, $status, $location, $method = 'GET') {
    my $answer = $w->client->send("$method $path HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n")->read_response;
    is $answer->status . ' ' . ($answer->header('Location') // ''), "$status $location", "$method $path";
};
$is->('/app', 301, "http://a.example:$port/app/");
$is->('/app?x=1&y=%2F', 301, "http://a.example:$port/app/?x=1&y=%2F");
$is->('/app', 301, "http://a.example:$port/app/", 'POST');
$is->('/final', 301, "http://a.example:$port/final/");
$is->('/rpc', 301, "http://a.example:$port/rpc/");
$is->('/a%25b', 301, "http://a.example:$port/a%25b/");
$is->('/app/', 200, '');
$is->($_, 404, '') for '/files', '/appl', '/maybe', '/ap';
$is->('/nested/in', 301, "http://a.example:$port/nested/in/");
$is->('/relative', 301, '/relative/');
$is->('/named', 301, 'http://name.example/named/');
is $w->get('/exact')->body,  'exact',  'a location for it goes first';
is $w->get('/prefix')->body, 'prefix', 'a prefix, too';
done_testing;
