# Everything that one reader's strtol takes and another's does not, and numbers that wrap.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a length that is not plain digits is refused');

my $refused = sub ($name, $value, $status = 400) {
    $a->refused("$name: " . show($value), "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: $value\r\n\r\nhello",
        $status);
};
$refused->('no plain digits', $_)
    for '+5', '-5', '-0', '0x5', '0o5', '1_0', '1 0', '5a', '5.0', '5e0', "\xc2\xb2", "\xb2", '"5"', '5;x', '', '05',
        '000000000005', '5 5',
        "5\x00", "\x005", "5\x0b", "\x0b5", "5\x0c", "5\r", "\r5", "5\x85", "5\xa0", "\xd9\xa5", '5/5', '(5)', '0x',
        "5\t5";
# no wrap, no allocation
$refused->('too many digits', $_, qr/^(?:400|413)$/)
    for '4294967301', '9223372036854775808', '9223372036854775807', '18446744073709551616', '18446744073709551621',
        '9' x 40, '1' . '0' x 4000;

$a->forwarded('space and tab around are not the value',
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: \t 5 \t\r\n\r\nhello",
    sub ($seen) { $seen->header('Content-Length') eq '5' && $seen->body eq 'hello' ? () : 'not canonical: '
        . $seen->head });

$a->done;
