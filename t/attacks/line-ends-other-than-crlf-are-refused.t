# RFC 9112 §2.2 allows a bare LF; the other reader may not.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('line ends other than CRLF are refused');

my %cases = (
    'LF after the request line'   => "GET / HTTP/1.1\nHost: localhost\r\n\r\n",
    'LF after a header'           => "GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    'LF after the last header'    => "GET / HTTP/1.1\r\nHost: localhost\n\r\n",
    'LF everywhere'               => "GET / HTTP/1.1\nHost: localhost\n\n",
    'LF for the empty line'       => "GET / HTTP/1.1\r\nHost: localhost\r\n\n",
    'CRCRLF after the request line' => "GET / HTTP/1.1\r\r\nHost: localhost\r\n\r\n",
    'CRCRLF after a header'       => "GET / HTTP/1.1\r\nHost: localhost\r\r\n\r\n",
    'CRCRLF for the empty line'   => "GET / HTTP/1.1\r\nHost: localhost\r\n\r\r\n\r\n",
    'CR in a value'               => "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
    'CR in a value before a name' => "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rY: b\r\n\r\n",
    'CR in a name'                => "GET / HTTP/1.1\r\nHost: localhost\r\nX\r: a\r\n\r\n",
    'CR in the target'            => "GET /\rx HTTP/1.1\r\nHost: localhost\r\n\r\n",
    'CR before the version'       => "GET / \rHTTP/1.1\r\nHost: localhost\r\n\r\n",
    'LFCR'                        => "GET / HTTP/1.1\n\rHost: localhost\n\r\n\r",
);
$a->refused("$_", $cases{$_}) for sort keys %cases;
# There is no line at all, so it may also be the timeout of the head that ends this.
$a->refused('CR everywhere', "GET / HTTP/1.1\rHost: localhost\r\r", qr/^40[08]$/);

$a->done;
