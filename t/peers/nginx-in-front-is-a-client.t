use v5.36;
use lib 't/lib';
use Weir::Test;

needs('nginx');

my $w      = Weir::Test->new('nginx in front is a client');
my $origin = $w->origin(sub ($c) {
    $c->request->target =~ /chunk/ ? $c->reply_chunked(200, [ map { "piece $_ " } 1 .. 100 ]) : $c->reply(200,
    $c->request->method . ' ' . $c->request->target . ' ' . length $c->request->body) });
$w->conf("client_max_body_size 20m; upstream o { server $origin; keepalive 4; } server { location / { proxy_pass http://o; } location /own { return 200 own; } }");
$w->start;
my $nginx = $w->nginx("client_max_body_size 20m; upstream weir { server $w; keepalive 4; } server { location / { proxy_pass http://weir; proxy_http_version 1.1; proxy_set_header Connection ''; }
    location /ten/ { proxy_pass http://weir/; } location /stream/ { proxy_pass http://weir; proxy_http_version 1.1;
        proxy_request_buffering off; proxy_buffering off; } }");

my $get = sub ($method, $path, %arg) { $w->request($method, $path, port => $nginx->port, %arg) };
is $get->('GET', '/a')->body, 'GET /a 0', 'GET over a kept connection';
is $get->('GET', '/own')->body, 'own', 'what is answered here';
is $get->('POST', '/b', body => 'x' x 2_000_000)->body, 'POST /b 2000000', 'a large body';
is $get->('POST', '/stream/b', body => 'x' x 2_000_000)->body, 'POST /stream/b 2000000', 'streamed';
is $get->('GET', '/ten/c')->body, 'GET /c 0', 'as an HTTP/1.0 client';
is $get->('GET', '/chunk')->body, join('', map { "piece $_ " } 1 .. 100), 'chunked';
is $get->('GET', '/ten/chunk')->body, join('', map { "piece $_ " } 1 .. 100), 'chunked, to 1.0';
is $w->client(port => $nginx->port)->send_request('HEAD', '/a')->read_response(method => 'HEAD')->status, 200, 'HEAD';
is $get->('GET', "/$_")->body, "GET /$_ 0", "kept: $_" for 1 .. 20;

done_testing;
