# CL.TE and TE.CL, with and without a request inside the body. RFC 9112 §6.1 would let Transfer-Encoding win; Weir refuses.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a length together with a coding is refused');

my $inside = "GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n";
my $head   = "POST / HTTP/1.1\r\nHost: localhost\r\n";

$a->refused('CL.TE', "${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
$a->refused('TE.CL', "${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n");
$a->refused('CL.TE with a request inside',
    "${head}Content-Length: " . (5 + length $inside) . "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$inside");
$a->refused('TE.CL with a request inside',
    "${head}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
    . sprintf("%x\r\n%s\r\n0\r\n\r\n", length $inside, $inside));
$a->refused('CL.TE, length zero',
    "${head}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$inside");
$a->refused('names in other cases', "${head}CONTENT-LENGTH: 5\r\ntransfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n");
$a->refused('far apart',
    "${head}Content-Length: 5\r\n" . join('', map { "X-$_: y\r\n" } 1 .. 40)
    . "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
$a->refused("on $_",
    "$_ / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    for qw(GET PUT DELETE OPTIONS);

$a->refused('on HEAD',
    "HEAD / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
    method => 'HEAD');

$a->done;
