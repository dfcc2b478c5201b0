# rewrite_path, rewrite_prefix, rewrite_host: what the peer is asked for, in its normal form, whatever variables bring.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('paths and hosts are rewritten toward peers');
my $echo = $w->echo_origin;
my $grpc = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $f = $h2->next_frame) {
        next unless $f->{type} eq 'HEADERS';
        my %h = map { @$_ } $f->{fields}->@*;
        $c->note("$h{':authority'} $h{':path'}");
        $h2->write(headers($f->{stream}, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 0));
    }
});
$w->conf(<<"END", workers => 1);
    map \$arg_m \$mapped { default \$uri; x "/m?\$arg_q"; }
    proxy_set_header Host outer.example;
    server {
        http2 on;
        encoded_slash keep;
        proxy_hide_header X;
        location /whole/   { rewrite_path /else/where; proxy_pass http://$echo; }
        location /spelled/ { rewrite_path "/a b/%7ec/%c3%a4"; proxy_pass http://$echo; }
        location /var/     { rewrite_path /v/\$arg_p/end; proxy_pass http://$echo; }
        location /uri/     { rewrite_path /got\$uri; proxy_pass http://$echo; }
        location /raw/     { rewrite_path \$request_uri; proxy_pass http://$echo; }
        location /map/     { rewrite_path \$mapped; proxy_pass http://$echo; }
        location ~ ^/re/(?<rest>.*)\$ { rewrite_path /r/\$rest; proxy_pass http://$echo; }
        location /foo      { rewrite_prefix /bar; proxy_pass http://$echo; }
        location /slash/   { rewrite_prefix /bar/; proxy_pass http://$echo; }
        location /root     { rewrite_prefix /; proxy_pass http://$echo; }
        location /none     { rewrite_prefix ""; proxy_pass http://$echo; }
        location /deep/er  { rewrite_prefix /deep /d; proxy_pass http://$echo; }
        location /tenant   { rewrite_prefix /t/\$arg_t/; proxy_pass http://$echo; }
        location /all      { rewrite_prefix / /base; proxy_pass http://$echo; }
        location ~ ^/rx    { rewrite_prefix /rx /ry; proxy_pass http://$echo; }
        location /inside   { rewrite ^ /foo/new break; rewrite_prefix /foo /bar; proxy_pass http://$echo; }
        location /host     { rewrite_host api.example:8443; proxy_pass http://$echo; }
        location /hostvar  { rewrite_host \$arg_h; proxy_pass http://$echo; }
        location /vars     { set \$to http://$echo/was; rewrite_path /is; proxy_pass \$to; }
        location /call     { rewrite_prefix /svc; rewrite_host grpc.example; grpc_pass $grpc; }
        location /part     { if (\$arg_x) { rewrite_path /never; set \$y 1; } rewrite_path /part-of-it; proxy_pass http://$echo; }
    }
END

my %goes = (
    '/whole/x'             => '/else/where',
    '/whole/x?q=1'         => '/else/where?q=1',
    '/whole/x?'            => '/else/where?',
    '/spelled/'            => '/a%20b/~c/%C3%A4',
    '/var/?p=x'            => '/v/x/end?p=x',
    '/var/?p=a/b'          => '/v/a/b/end?p=a/b',
    '/var/?p=%41'          => '/v/A/end?p=%41',
    '/var/?p=a?b'          => '/v/a%3Fb/end?p=a?b',
    '/var/?p=50%'          => '/v/50%25/end?p=50%',
    '/var/?p=%3fx'         => '/v/%3Fx/end?p=%3fx',
    '/uri/%3Fx%20y'        => '/got/uri/%3Fx%20y',
    '/uri/a%2Fb'           => '/got/uri/a%2Fb',
    '/raw/a/../b'          => '/raw/b',
    '/map/a%3Fb'           => '/map/a%3Fb',
    '/map/?m=x&q=1'        => '/m%3F1?m=x&q=1',
    '/re/a%20b%3Fc'        => '/r/a%20b%3Fc',
    '/foo'                 => '/bar',
    '/foo/'                => '/bar/',
    '/foo/x/y?q'           => '/bar/x/y?q',
    '/foobar'              => '/foobar',
    '/foo%2Fx'             => '/foo%2Fx',
    '/foo/%2e/x'           => '/bar/x',
    '/foo/a%2Fb'           => '/bar/a%2Fb',
    '/slash/'              => '/bar/',
    '/slash/x'             => '/bar/x',
    '/root'                => '/',
    '/root/'               => '/',
    '/root/x'              => '/x',
    '/none/x'              => '/x',
    '/none'                => '/',
    '/deep/er/x'           => '/d/er/x',
    '/tenant/x?t=a'        => '/t/a/x?t=a',
    '/all/x'               => '/base/all/x',
    '/rx/1'                => '/ry/1',
    '/rx1'                 => '/rx1',
    '/inside'              => '/bar/new',
    '/vars'                => '/is',
    '/part'                => '/part-of-it',
    '/part?x=1'            => '/never?x=1',
);
my $h2 = Weir::Http2::client($w);
for my $target (sort keys %goes) {
    my $answer = $w->get($target);
    is $answer->status, 200, $target;
    is $w->seen($answer)->{target}, $goes{$target}, "  is asked for as $goes{$target}" if $answer->status == 200;
}
for my $target ('/foo/x/y?q', '/var/?p=a?b') {
    is $h2->ask(':path' => $target), 200, "$target over HTTP/2";
    is Weir::Json::decode($h2->body)->{target}, $goes{$target}, 'is the same';
}
# No dots through variables.
for my $dots ('..', '../..', '%2e%2e', '.%2E', 'a/../../b', '.', '..%2fx', '%2e%2e%5cx', '%00', 'a%') {
    my $answer = $w->get("/var/?p=$dots");
    next if $dots eq 'a%';
    is $answer->status, 400, "no $dots";
}
is $w->get('/tenant/x?t=..')->status, 400, 'nor in a prefix';

my $host = sub ($target) { my $answer = $w->get($target); $answer->status == 200 ? ($w->seen($answer)->header('Host'))[0] : $answer->status };
is $host->('/host'), 'api.example:8443', 'the host that is set';
is $host->('/hostvar?h=x.example'), 'x.example', 'by a variable';
is $host->('/hostvar'), 'outer.example', 'an empty one changes nothing';
is $host->('/foo'), 'outer.example', 'nor does a place without one';
is $host->('/hostvar?h=a@b'), 400, 'what is no host is not sent';
is $host->("/hostvar?h=$_"), 400, "nor is $_" for 'a/b', 'a%20b', ':80', 'a:b', 'a,b';

is $h2->ask(':method' => 'POST', ':path' => '/call/pkg.Svc/M', 'content-type' => 'application/grpc', te => 'trailers', body => "\0\0\0\0\0"), 200, 'a call';
is_deeply [ $grpc->notes ], ['grpc.example /svc/pkg.Svc/M'], 'goes where it is told';
$h2->close;

$w->allow_log(qr/\[emerg\]/);
for my $bad ([ 'rewrite_path /a?b', qr/query or a fragment/ ], [ 'rewrite_path /a/../b', qr/no dot segments/ ], [ 'rewrite_path a', qr{begins with "/"} ],
    [ 'rewrite_path ""', qr/a path/ ], [ 'rewrite_path /a; rewrite_prefix /b', qr/cannot stand beside/ ], [ 'rewrite_path /a; rewrite_path /b', qr/duplicate/ ],
    [ 'rewrite_prefix a /b', qr/a prefix of paths/ ], [ 'rewrite_prefix /$arg_a /b', qr/a prefix of paths/ ], [ 'rewrite_host a/b', qr/a host/ ],
    [ 'rewrite_prefix /b', qr/which prefix it replaces/, '~ ^/x' ], [ 'rewrite_path /b', qr/cannot stand beside "rewrite_path"/, '/', '/uri' ]) {
    my ($text, $why, $place, $uri) = @$bad;
    my ($code, $said) = $w->check_conf("server { location @{[ $place // '/' ]} { $text; proxy_pass http://$echo@{[ $uri // '' ]}; } }");
    isnt $code, 0, "$text: refused";
    like $said, $why, 'and told why';
}

done_testing;
