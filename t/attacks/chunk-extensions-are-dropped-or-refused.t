# Well-formed extensions are dropped, others refused; their total and the ratio of framing to data have a cap.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('chunk extensions are dropped or refused');

my $head   = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
my $plain  = sub ($seen) { $seen->body eq 'hello' ? () : 'body ' . show($seen->body) };

$a->forwarded("valid $_", "${head}5$_\r\nhello\r\n0\r\n\r\n", $plain)
    for ';a', ';a=b', ';a=b;c=d', ';a="b"', ';a="b c"', ';a="b;c"', ';a="b\\"c"', ";a=\"b\tc\"", ';a="b' . "\xe9" . '"';
$a->forwarded('valid on the last chunk', "${head}5\r\nhello\r\n0;a=b\r\n\r\n", $plain);

$a->refused('' . show($_), "${head}5$_\r\nhello\r\n0\r\n\r\n")
    for ';', ';;', ';a;', ';=b', ';a=', ';a=b=c', ';a b', ';a@', ';[a]', ";a\x00", ";a=\x00", ";a\n", ";a\r",
        ";a=\"b\r\nc\"", ";a=\"b\nc\"", ";a=\"b\rc\"",
        ";a=\"b\x00c\"", ';a="b', ';a="b"c', ";a=\"b\\\r\n\"", ";a\x7f", ";\xe9";

$a->refused('64 KiB of extension', "${head}5;" . ('a' x 65536) . "\r\nhello\r\n0\r\n\r\n");
$a->refused('64 KiB of extensions in all',
    "${head}" . ("1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\na\r\n" x 1024) . "0\r\n\r\n");
# Chunks of one byte: either they pass as one body, or the ratio of framing to data ends them.
$a->judged('50,000 chunks of a byte', $head . ("1\r\na\r\n" x 50_000) . "0\r\n\r\n", sub ($seen) {
    $seen->body eq 'a' x 50_000 ? () : 'length ' . length $seen->body });

$a->done;
