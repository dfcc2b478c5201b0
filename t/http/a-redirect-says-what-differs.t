# redirect: scheme, host, port, path, prefix and status as HTTPRoute's RequestRedirect has them.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('a redirect says what differs');
my $echo = $w->echo_origin;
$w->conf(<<"END", workers => 1);
    server {
        http2 on;
        listen 127.0.0.1:%%PORT%%;
        location /scheme/  { redirect scheme=https; }
        location /same/    { redirect scheme=http path=/x; }
        location /host/    { redirect host=other.example; }
        location /port/    { redirect port=8443; }
        location /80/      { redirect port=80; }
        location /https80/ { redirect scheme=https port=80; }
        location /status/  { redirect scheme=https status=308; }
        location /path/    { redirect "path=/to here/\$arg_p"; }
        location /prefix   { redirect prefix=/new status=301; }
        location /root     { redirect prefix=/ host=h.example port=80; }
        location /hostvar/ { redirect host=\$arg_h scheme=https; }
        location /wins/    { redirect path=/x; proxy_pass http://$echo; }
        location /if/      { if (\$arg_go) { redirect path=/gone; } proxy_pass http://$echo; }
        location /guarded/ { deny all; redirect path=/x; }
        location /v6/      { redirect host=[::1] scheme=https; }
        location /page/    { error_page 403 /redirected; deny all; }
        location /kept/    { error_page 404 =200 /redirected; root %%DIR%%/none; }
        location /replaced/ { error_page 302 \@replaced; redirect path=/x; }
        location \@replaced { proxy_pass http://$echo; }
        location = /redirected { redirect host=sorry.example path=/sorry scheme=https status=303; }
    }
END
my $port = $w->port;
my %goes = (
    '/scheme/a?q=1'     => [ 302, 'https://name.example/scheme/a?q=1' ],
    '/scheme/?'         => [ 302, 'https://name.example/scheme/?' ],
    '/scheme/a/../b%41' => [ 302, 'https://name.example/scheme/bA' ],
    '/same/'            => [ 302, 'http://name.example/x' ],
    '/host/a'           => [ 302, "http://other.example:$port/host/a" ],
    '/port/a'           => [ 302, 'http://name.example:8443/port/a' ],
    '/80/a'             => [ 302, 'http://name.example/80/a' ],
    '/https80/a'        => [ 302, 'https://name.example:80/https80/a' ],
    '/status/'          => [ 308, 'https://name.example/status/' ],
    '/path/?p=x'        => [ 302, "http://name.example:$port/to%20here/x?p=x" ],
    '/path/?p=a?b'      => [ 302, "http://name.example:$port/to%20here/a%3Fb?p=a?b" ],
    '/path/?p=..'       => [ 400, undef ],
    '/prefix'           => [ 301, "http://name.example:$port/new" ],
    '/prefix/a%20b?q'   => [ 301, "http://name.example:$port/new/a%20b?q" ],
    '/prefixed'         => [ 301, "http://name.example:$port/prefixed" ],
    '/root/x'           => [ 302, 'http://h.example/x' ],
    '/hostvar/?h=v.example' => [ 302, 'https://v.example/hostvar/?h=v.example' ],
    '/hostvar/'         => [ 302, 'https://name.example/hostvar/' ],
    '/hostvar/?h=a/b'   => [ 400, undef ],
    '/hostvar/?h=a:1'   => [ 400, undef ],
    '/wins/'            => [ 302, "http://name.example:$port/x" ],
    '/if/?go=1'         => [ 302, "http://name.example:$port/gone?go=1" ],
    '/guarded/'         => [ 403, undef ],
    '/v6/'              => [ 302, 'https://[::1]/v6/' ],
    '/page/'            => [ 303, 'https://sorry.example/sorry' ],
    '/kept/x'           => [ 303, 'https://sorry.example/sorry' ],
);
my $h2 = Weir::Http2::client($w);
for my $target (sort keys %goes) {
    my ($status, $to) = $goes{$target}->@*;
    my $answer = $w->request("GET", $target, host => "name.example:4711");
    is $answer->status . ' ' . ($answer->header('Location') // ''), "$status " . ($to // ''), $target;
    is $h2->ask(':path' => $target, ':authority' => 'name.example:4711') . ' ' . ($h2->head->{location} // ''), "$status " . ($to // ''), "$target over HTTP/2";
}
$h2->close;
is $w->get('/if/')->status, 200, 'a condition that does not hold sends nobody away';
is $w->seen($w->get('/replaced/'))->method, 'GET', 'error_page may answer instead';
my $c = $w->client;
$c->send_request('POST', '/status/', host => "name.example", body => 'x' x 1000);
is $c->read_response(method => 'POST')->status, 308, 'a body is no matter';
$c->send_request('GET', '/80/', host => "name.example");
is $c->read_response->status, 302, 'the connection goes on';
is $w->raw("GET /port/x HTTP/1.0\r\n\r\n") =~ /^HTTP\/1.1 400/, 1, 'a client of HTTP/1.0 that names no host is told so';

$w->allow_log(qr/\[emerg\]/);
for my $bad ([ 'scheme=ftp', qr/scheme=http or/ ], [ 'host=a:80', qr/without a port/ ], [ 'port=0', qr/1 to 65535/ ], [ 'status=304', qr/301, 302/ ],
    [ 'status=301', qr/changes nothing/ ], [ 'path=/a prefix=/b', qr/beside one another/ ], [ 'path=/a?b', qr/query or a fragment/ ],
    [ 'port=1 port=2', qr/stands twice/ ], [ 'https', qr/scheme=, host=/ ], [ 'prefix=/x', qr/which prefix/, '~ x' ]) {
    my ($code, $said) = $w->check_conf("server { location @{[ $bad->[2] // '/' ]} { redirect $bad->[0]; } }");
    isnt $code, 0, "$bad->[0]: refused";
    like $said, $bad->[1], 'and told why';
}

done_testing;
