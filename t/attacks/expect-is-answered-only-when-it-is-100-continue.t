# An unknown expectation is 417, and no variant leaves bytes behind.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('Expect is answered only when it is 100-continue');

for my $value ('200-ok', 'y 100-continue', '100-continue, x', '100-continuex', 'x, 100-continue', '100 continue',
    '100-continue;q=1', 'nonsense') {
    $a->refused("'$value'",
        "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: $value\r\nContent-Length: 5\r\n\r\nhello", 417);
}
$a->refused('folded',
    "POST / HTTP/1.1\r\nHost: localhost\r\nExpect:\r\n 100-continue\r\nContent-Length: 5\r\n\r\nhello");
my $hello = sub ($seen) {
    return (($seen->body eq 'hello' ? () : 'body'), (defined $seen->header('Expect') ? 'Expect was passed on' : ())) };
$a->forwarded("$_->[0]",
    "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: $_->[1]\r\nContent-Length: 5\r\n\r\nhello", $hello)
    for [ 'body sent at once', '100-continue' ], [ 'other case', '100-Continue' ];
$a->forwarded('with OPTIONS',
    "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", $hello);
$a->forwarded('length 0',
    "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    sub ($seen) { length $seen->body ? 'body' : () });
$a->forwarded('no body', "GET / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n");
$a->forwarded('in 1.0 it is nothing',
    "POST / HTTP/1.0\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    sub ($seen) { $seen->body eq 'hello' ? () : 'body' });

$a->done;
