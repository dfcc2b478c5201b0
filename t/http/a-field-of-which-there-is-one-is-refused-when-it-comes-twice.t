# Who reads the first of two and who reads the last see two requests: a name that was let in is not the one that the peer believes.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Weir::Test;
use Weir::Http2;

my $w      = Weir::Test->new('a field of which there is one is refused when it comes twice');
my $origin = $w->origin;
$w->write_file('conf/users', "a:{PLAIN}x\nb:{PLAIN}y\n");
my $http2 = $w->is_nginx ? '' : 'http2 on;';
$w->conf(<<"END", http => "access_log logs/access.log;\n");
    server { $http2 auth_basic_user_file users; location / { proxy_pass http://$origin; } location /basic { auth_basic x; proxy_pass http://$origin; } }
END
my %value = (
    'Authorization' => 'Basic YTp4', 'If-Modified-Since' => 'Mon, 28 Sep 1970 06:00:00 GMT', 'If-Unmodified-Since' => 'Mon, 28 Sep 2099 06:00:00 GMT',
    'If-Match' => '"a"', 'If-None-Match' => '"a"', 'If-Range' => '"a"', 'Range' => 'bytes=0-1', 'Content-Range' => 'bytes 0-1/2', 'Origin' => 'http://a',
    'Proxy-Authorization' => 'Basic YTp4', 'X-Real-IP' => '127.0.0.1', 'Sec-WebSocket-Key' => 'dGhlIHNhbXBsZSBub25jZQ==',
);
my %only_weir = map { $_ => 1 } qw(Origin Range Proxy-Authorization X-Real-IP Sec-WebSocket-Key);
for my $name (sort keys %value) {
    next if $w->is_nginx && $only_weir{$name};
    is $w->get('/', $name, $value{$name})->status, 200, "$name";
    my $before = $origin->requests;
    is $w->get('/', $name, $value{$name}, lc $name, $value{$name} . 'x')->status, 400, "$name twice";
    is $origin->requests, $before, 'is not sent on';
    next if $w->is_nginx;
    my $h2 = Weir::Http2::client($w);
    $h2->send(Weir::Http2::headers(1, 'END_STREAM END_HEADERS', Weir::Http2::request_fields(':path' => '/'), lc $name, $value{$name}, lc $name, $value{$name}));
    like $h2->verdict(1, waits => 1), qr{^400}, "$name twice, over HTTP/2";
    $h2->close;
}
is $w->get('/basic', 'Authorization', 'Basic YTp4', 'Authorization', 'Basic Yjp5')->status, 400, 'two names that are both good';
is $w->get('/', 'Accept', 'a/b', 'Accept', 'c/d', 'Cookie', 'a=b', 'Cookie', 'c=d', 'X-Forwarded-For', '1.2.3.4', 'X-Forwarded-For', '1.2.3.5')->status, 200,
  'lists may come in parts';
done_testing;
