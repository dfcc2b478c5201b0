# Six connections, a page and its parts with cookies, conditions and long headers; some closed in the middle of an answer.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a browser-like client is served');
my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    return $c->reply(304, '', ETag => '"x"') if ($request->header('If-None-Match') // '') eq '"x"';
    $c->reply(200, $request->target x 100, 'ETag' => '"x"', 'Set-Cookie' => 'session=1; Path=/',
        'Cache-Control' => 'max-age=60', 'Content-Type' => 'text/html; charset=utf-8');
});
$w->conf("upstream o { server $origin; keepalive 8; } server { location / { proxy_pass http://o; } location /beacon { return 204; } }");

my @headers = ('User-Agent' => 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept' => 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language' => 'en-US,en;q=0.5', 'Accept-Encoding' => 'gzip, deflate, br, zstd',
    'Cookie' => join('; ', map { "c$_=" . 'v' x 60 } 1 .. 10), 'Sec-Fetch-Mode' => 'navigate',
    'Upgrade-Insecure-Requests' => 1,
    'Connection' => 'keep-alive');
my @connections = map { $w->client } 1 .. 6;
is $connections[0]->get('/page', @headers)->body, '/page' x 100, 'the page';
$connections[ $_ % 6 ]->send_request('GET', "/part/$_", headers => \@headers) for 1 .. 30;
is $connections[ $_ % 6 ]->read_response->body, "/part/$_" x 100, "part $_" for 1 .. 30;
is $connections[ $_ % 6 ]->get("/part/$_", @headers, 'If-None-Match' => '"x"')->status, 304, "part $_ again" for 1 .. 6;
$connections[0]->send_request('GET', '/left', headers => \@headers)->close;
is $connections[1]->send_request('POST', '/beacon', headers => \@headers, body => '{"a":1}')->read_response->status,
    204, 'a beacon';
is $connections[2]->send_request('OPTIONS', '/cors',
    headers => [ @headers, Origin => 'http://a', 'Access-Control-Request-Method' => 'PUT' ])->read_response->status,
    200, 'a preflight';

done_testing;
