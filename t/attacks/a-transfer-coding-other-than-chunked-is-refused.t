# Odd codings, two lines of them, and codings in HTTP/1.0; each with a length beside it too.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a transfer coding other than chunked is refused');

my $body = "5\r\nhello\r\n0\r\n\r\n";
my $head = "POST / HTTP/1.1\r\nHost: localhost\r\n";

for my $value ('xchunked', 'chunkedx', 'chunked, chunked', 'chunked, gzip', 'gzip, chunked', 'identity',
    'identity, chunked', 'chunked, identity',
    '"chunked"', "'chunked'", 'chunked;q=1', 'chunked;', 'chunked q=1', "\x0bchunked", "chunked\x0b", "\x0cchunked",
    "chunked\x0c", "\x00chunked",
    "chunked\x00", "\xa0chunked", "chunked\xa0", "\x85chunked", "chunked\x85", 'chun ked', '', 'gzip', 'cow',
    'chunked, cow', 'cow, chunked',
    'chunked chunked', 'chunked/1', '(chunked)', "\xef\xbb\xbfchunked", "chun\tked", ',', 'chunke', 'chunkedd',
    'CHUNKED, CHUNKED')
{
    my $name = show($value);
    # unknown codings alone may be 501
    $a->refused("$name", "${head}Transfer-Encoding: $value\r\n\r\n$body", qr/^(?:400|501)$/);
    $a->refused("$name and a length",
        "${head}Content-Length: " . length($body) . "\r\nTransfer-Encoding: $value\r\n\r\n$body");
}

for my $two ([ 'chunked', 'chunked' ], [ 'identity', 'chunked' ], [ 'chunked', 'identity' ], [ 'chunked', 'x' ],
    [ 'x', 'chunked' ], [ '', 'chunked' ],
    [ 'chunked', '' ], [ 'gzip', 'chunked' ])
{
    my $lines = join '', map { "Transfer-Encoding: $_\r\n" } @$two;
    $a->refused("'$two->[0]' then '$two->[1]'", "$head$lines\r\n$body", qr/^(?:400|501)$/);
}

$a->refused('coding in 1.0', "POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n$body");
$a->refused('coding in 1.0, kept',
    "POST / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n$body");
$a->refused('coding and length in 1.0',
    "POST / HTTP/1.0\r\nHost: localhost\r\nContent-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\n$body");
$a->refused('identity in 1.0', "GET / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n\r\n");

$a->done;
