# Legal (RFC 9110 §5.6.1), read in two ways by others: refused or sent on as one plain length or coding.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('an empty list member beside chunked is never passed on');

# the origin's parser looked at the coding
my $canonical = sub ($seen) { $seen->body eq 'hello' ? () : 'body ' . show($seen->body) };
for my $value (', chunked', 'chunked,', ',chunked', 'chunked ,', ',,chunked,,', "\tchunked\t", 'Chunked', 'CHUNKED',
    ' chunked ') {
    $a->judged('' . show($value),
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: $value\r\n\r\n5\r\nhello\r\n0\r\n\r\n", $canonical);
}
$a->forwarded('spelling of chunked is free',
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: cHuNkEd\r\n\r\n5\r\nhello\r\n0\r\n\r\n", $canonical);

$a->done;
