# 414 and 431, and memory that does not follow the sizes.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('sizes have limits');

$a->forwarded('a URL of 8,000 bytes', 'GET /' . ('a' x 7900) . " HTTP/1.1\r\nHost: localhost\r\n\r\n",
    sub ($seen) { length $seen->target == 7901 ? () : length $seen->target });
$a->forwarded('100 headers',
    "GET / HTTP/1.1\r\nHost: localhost\r\n" . join('', map { "X-$_: y\r\n" } 1 .. 100) . "\r\n");
my $before = $a->w->memory;
$a->refused('a URL of 64 KiB', 'GET /' . ('a' x 65536) . " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414);
$a->refused('a query of 64 KiB', 'GET /?' . ('a' x 65536) . " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414);
$a->refused('a URL of 10 MiB that never ends', 'GET /' . ('a' x 10_485_760), 414);
$a->refused('a header of 64 KiB', "GET / HTTP/1.1\r\nHost: localhost\r\nX: " . ('a' x 65536) . "\r\n\r\n", 431);
$a->refused('a header of 1 MiB', "GET / HTTP/1.1\r\nHost: localhost\r\nX: " . ('a' x 1_048_576) . "\r\n\r\n",
    431);
$a->refused('a name of 64 KiB', "GET / HTTP/1.1\r\nHost: localhost\r\n" . ('a' x 65536) . ": x\r\n\r\n", 431);
$a->refused('64 KiB of headers',
    "GET / HTTP/1.1\r\nHost: localhost\r\n" . ('X: ' . ('a' x 1000) . "\r\n") x 64 . "\r\n", 431);
$a->refused('2,000 headers', "GET / HTTP/1.1\r\nHost: localhost\r\n" . ("X: y\r\n" x 2000) . "\r\n", 431);
$a->refused('10,000 headers', "GET / HTTP/1.1\r\nHost: localhost\r\n" . ("X: y\r\n" x 10_000) . "\r\n", 431);
$a->refused('a length of 10^12', "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n",
    413);
cmp_ok $a->w->memory, '<', $before + 4096, 'the worker grew by less than 4 MiB';

$a->done;
