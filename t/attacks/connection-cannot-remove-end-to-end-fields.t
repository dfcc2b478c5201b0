# What frames, routes or identifies stays, whatever Connection names; what is hop by hop goes, whether named or not.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('Connection cannot remove end-to-end fields',
    server => 'proxy_set_header X-Weir-Own own; proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;');

my %stays = ('Host' => 'localhost', 'X-Forwarded-For' => '1.2.3.4', 'Authorization' => 'Basic eDp5',
    'X-Forwarded-Proto' => 'https', 'Cookie' => 'a=b', 'X-Weir-Own' => undef, 'X-Real-IP' => undef);
for my $name (sort keys %stays) {
    my $line = defined $stays{$name} && $name ne 'Host' ? "$name: $stays{$name}\r\n" : '';
    $a->forwarded("$name", "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close, $name\r\n$line\r\n",
        sub ($seen) { length($seen->header($name) // '') ? () : 'it is gone' });
}
$a->forwarded('Content-Length',
    "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: Content-Length\r\nContent-Length: 5\r\n\r\nhello",
    sub ($seen) { $seen->body eq 'hello' ? () : 'body' });
$a->forwarded('Transfer-Encoding', "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    sub ($seen) { $seen->body eq 'hello' ? () : 'body' });
$a->forwarded('hop by hop', "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: X-Hop, keep-alive\r\nX-Hop: y\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\n"
    . "Trailer: X\r\nUpgrade-Insecure-Requests: 1\r\n\r\n", sub ($seen) {
        return map { defined $seen->header($_) ? "$_ was passed on" : () } qw(X-Hop Keep-Alive Proxy-Connection Trailer) });

$a->done;
