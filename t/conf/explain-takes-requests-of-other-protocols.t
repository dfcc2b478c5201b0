# `weir explain --http2`: as HTTP/2 asks, over TLS and without; gRPC calls; WebSocket upgrades: the route, and what is refused for its protocol.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('explain takes requests of other protocols')->needs_weir;
$w->write_file('conf/weir.conf', <<'END');
error_log stderr;
events { }
http {
    upstream calls { server 127.0.0.1:8001; }
    server {
        listen 8080;
        listen 8081 http2;
        server_name a.example;
        route hello { match grpc=greet.Greeter/SayHello; grpc_pass grpc://calls; }
        route greeter { match grpc=greet.Greeter; grpc_pass grpc://calls; }
        location /version { if ($server_protocol = HTTP/2.0) { return 200 two; } return 201 one; }
        location /chat { proxy_pass http://calls; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }
        location / { return 404; }
    }
}
END
my $explain = sub (@words) {
    my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', '--json', @words);
    return ($code, $said =~ /^\{/ ? Weir::Json::decode($said) : { said => $said });
};
my ($code, $f) = $explain->('GET http://a.example:8081/version');
is "$code $f->{answer}{status}", '0 201', 'HTTP/1.1';
($code, $f) = $explain->('--http2', 'GET http://a.example:8081/version');
is "$code $f->{answer}{status}", '0 200', 'HTTP/2';
($code, $f) = $explain->('--http2', 'GET http://a.example:8080/version');
is "$code $f->{problem}", '3 the server at this port does not speak HTTP/2 without TLS', 'a listener that does not speak it';
my @grpc = ('--http2', '-H', 'Content-Type: application/grpc', '-H', 'TE: trailers');
($code, $f) = $explain->(@grpc, 'POST http://a.example:8081/greet.Greeter/SayHello');
is "$code $f->{route}{name} $f->{outcome} $f->{target}{target}", '0 hello passed /greet.Greeter/SayHello', 'a gRPC call';
is +($explain->(@grpc, 'POST http://a.example:8081/greet.Greeter/Other'))[1]{route}{name}, 'greeter', 'of the same service';
is +($explain->(@grpc, 'POST http://a.example:8081/greet.Other/SayHello'))[1]{answer}{status}, 404, 'and of none that is known';
for my $field ('Connection: close', 'Upgrade: websocket', 'TE: gzip', 'transfer-encoding: chunked') {
    ($code, $f) = $explain->('--http2', 'GET http://a.example:8081/', '-H', $field);
    is "$code $f->{outcome}", '3 refused', "$field is none of HTTP/2";
}
($code, $f) = $explain->('GET http://a.example:8080/chat', '-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket', '-H', 'Sec-WebSocket-Version: 13', '-H', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');
is "$code $f->{outcome} $f->{location}{name}", '0 passed /chat', 'a WebSocket';
done_testing;
