# H2c and TLS/1.0 are never forwarded; the request is served as if they were not there.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('an upgrade to anything but a WebSocket is ignored');

my $plain = sub ($seen) {
    return map { my $value = $seen->header($_); defined $value && $value =~ /h2c|tls|upgrade|settings|AAMAAA/i ? "$_: $value was passed on" : () } qw(Upgrade Connection HTTP2-Settings) };
$a->judged($_->[0], "GET / HTTP/1.1\r\nHost: localhost\r\n$_->[1]\r\n\r\n", $plain)
    for [ 'h2c', "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA" ],
    [ 'h2c alone', "Connection: Upgrade\r\nUpgrade: h2c" ],
    [ 'TLS/1.0', "Connection: Upgrade\r\nUpgrade: TLS/1.0" ],
    [ 'TLS/1.2, HTTP/1.1', "Connection: Upgrade\r\nUpgrade: TLS/1.2, HTTP/1.1" ],
    [ 'Upgrade without Connection', 'Upgrade: websocket' ],
    [ 'unknown token', "Connection: upgrade\r\nUpgrade: cow" ],
    [ 'HTTP/2.0', "Connection: upgrade\r\nUpgrade: HTTP/2.0" ];
$a->forwarded('in 1.0', "GET / HTTP/1.0\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    $plain);

$a->done;
