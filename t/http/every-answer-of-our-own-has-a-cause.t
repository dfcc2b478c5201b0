use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('every answer of our own has a cause');
$w->needs_weir;
my $hang  = $w->peer(sub ($c) { $c->read_request; $c->note('got'); $c->fill });
my $slam  = $w->peer(sub ($c) { $c->read_request; $c->reset });
my $close = $w->peer(sub ($c) { $c->read_request; $c->close });
my $bad   = $w->peer(sub ($c) { $c->read_request;
    $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx") });
my $big   = $w->peer(sub ($c) { $c->read_request;
    $c->raw("HTTP/1.1 200 OK\r\nX: " . ('x' x 100_000) . "\r\nContent-Length: 0\r\n\r\n") });
my $flood = $w->peer(sub ($c) { $c->read_request;
    $c->raw("HTTP/1.1 103 Early\r\n\r\n" x 100 . "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") });
my $good  = $w->echo_origin;
my $odd   = $w->origin(sub ($c) { $c->reply(200, 'x', 'X-Accel-Redirect' => '../etc/passwd') });
my $dir   = $w->dir;
mkdir "$dir/files" or die $!;
$w->write_file('files/f', 'file');
symlink 'loop', "$dir/files/loop" or die $!;
my ($dead, $hole) = ($w->refused_peer, $w->blackhole_peer);
$w->conf(<<"END");
    log_format c '\$status \$weir_cause \$uri';
    access_log logs/c.log c;
    client_max_body_size 10; client_header_timeout 200ms; client_body_timeout 200ms;
    proxy_connect_timeout 200ms; proxy_read_timeout 200ms; proxy_next_upstream off;
    upstream down { server $dead down; server $good down; }
    server {
        location / { proxy_pass http://$good; }
        location /return/ { return 403; }
        location /internal/ { internal; return 200 x; }
        location /nothing/ { }
        location /named/ { error_page 404 \@missing; return 404; }
        location /files/ { root $dir; }
        location /whole/ { alias $dir/files/f; max_ranges 1; }
        location /odd/ { proxy_pass http://$odd; }
        location /dead/ { proxy_pass http://$dead; }
        location /hole/ { proxy_pass http://$hole; }
        location /hang/ { proxy_pass http://$hang; }
        location /slam/ { proxy_pass http://$slam; }
        location /close/ { proxy_pass http://$close; }
        location /bad/ { proxy_pass http://$bad; }
        location /big/ { proxy_pass http://$big; }
        location /flood/ { proxy_pass http://$flood; }
        location /down/ { proxy_pass http://down; }
    }
END

my $head = "HTTP/1.1\r\nHost: localhost\r\n";
my @cases = (
    [ 'client.malformed',         400, "GET / $head X\r\n\r\n" ],
    [ 'client.target',            400, "GET /%00 $head\r\n" ],
    [ 'client.host',              400, "GET / HTTP/1.1\r\n\r\n" ],
    [ 'client.host',              400, "GET / ${head}Host: other\r\n\r\n" ],
    [ 'client.framing',           400, "POST / ${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx" ],
    [ 'client.body.malformed',    400, "POST / ${head}Transfer-Encoding: chunked\r\n\r\nx\r\n" ],
    [ 'client.header.timeout',    408, "GET / HT" ],
    [ 'client.body.timeout',      408, "POST / ${head}Content-Length: 5\r\n\r\nx" ],
    [ 'client.body.too_large',    413, "POST / ${head}Content-Length: 11\r\n\r\n" ],
    [ 'client.uri.too_long',      414, 'GET /' . ('x' x 65536) . " $head\r\n" ],
    [ 'client.expectation',       417, "POST / ${head}Expect: cow\r\nContent-Length: 5\r\n\r\nhello" ],
    [ 'client.header.too_large',  431, "GET / ${head}X: " . ('x' x 65536) . "\r\n\r\n" ],
    [ 'client.coding',            501, "POST / ${head}Transfer-Encoding: cow\r\n\r\n" ],
    [ 'client.version',           505, "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n" ],
    [ 'client.method',            405, "TRACE / $head\r\n" ],
    [ 'route.none',               500, "GET /named/ $head\r\n" ],
    [ 'file.none',                404, "GET /nothing/ $head\r\n" ],
    [ 'file.folder',              403, "GET /files/ $head\r\n" ],
    [ 'file.forbidden',           403, "GET /files/loop $head\r\n" ],
    [ 'file.name',                404, "GET /files/" . 'x' x 5000 . " $head\r\n" ],
    [ 'client.method',            405, "PUT /files/f $head\r\n" ],
    [ 'client.precondition',      412, "GET /files/f ${head}If-Match: \"x\"\r\n\r\n" ],
    [ 'client.range',             416, "GET /files/f ${head}Range: bytes=9-\r\n\r\n" ],
    [ 'upstream.redirect',        502, "GET /odd/ $head\r\n" ],
    [ 'route.internal',           404, "GET /internal/ $head\r\n" ],
    [ 'route.return',             403, "GET /return/ $head\r\n" ],
    [ 'upstream.none',            502, "GET /down/ $head\r\n" ],
    [ 'upstream.connect.refused', 502, "GET /dead/ $head\r\n" ],
    [ 'upstream.connect.timeout', 504, "GET /hole/ $head\r\n" ],
    [ 'upstream.read.timeout',    504, "GET /hang/ $head\r\n" ],
    [ 'upstream.reset',           502, "GET /slam/ $head\r\n" ],
    [ 'upstream.closed',          502, "GET /close/ $head\r\n" ],
    [ 'upstream.malformed',       502, "GET /bad/ $head\r\n" ],
    [ 'upstream.header.too_large', 502, "GET /big/ $head\r\n" ],
    [ 'upstream.interim',         502, "GET /flood/ $head\r\n" ],
);
my $at = 0;
for my $case (@cases) {
    my ($cause, $status, $bytes) = @$case;
    my $client = $w->client;
    my $answer = eval { $client->send($bytes)->read_response };
    $client->close;
    is $answer ? $answer->status : $@, $status, "$cause: status";
    my $line = '';
    $w->wait_until("a line for $cause", sub { ($line) = substr($w->access_log('c.log'), $at) =~ /\A(.*\n)/ });
    $at += length $line;
    like $line, qr/^$status \Q$cause\E /, "$cause: in the log";
}
my $client = $w->client;
$client->send("GET /hang/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
$hang->wait_requests(2);
$client->reset;
like $w->wait_for_access(qr/^499 .*/m, 'c.log'), qr/client\.closed/, 'client.closed: in the log';
$w->get('/');
like $w->wait_for_access(qr/^200 .*/m, 'c.log'), qr/^200 - /, 'a good answer has none';
like $w->error_log, qr/upstream\.connect\.refused/, 'the error log names it too';

done_testing;
