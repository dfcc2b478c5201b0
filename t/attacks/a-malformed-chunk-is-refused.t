# Sizes, ends and the last chunk. A buffered request is not sent up at all; a streamed one never completely.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a malformed chunk is refused');

my %cases = (
    'size 0x5'             => "0x5\r\nhello\r\n0\r\n\r\n",
    'size +5'              => "+5\r\nhello\r\n0\r\n\r\n",
    'size -5'              => "-5\r\nhello\r\n0\r\n\r\n",
    'size 0_5'             => "0_5\r\nhello\r\n0\r\n\r\n",
    'size with space before' => " 5\r\nhello\r\n0\r\n\r\n",
    'size with tab before' => "\t5\r\nhello\r\n0\r\n\r\n",
    'size with space after'=> "5 \r\nhello\r\n0\r\n\r\n",
    'size with tab after'  => "5\t\r\nhello\r\n0\r\n\r\n",
    'size with junk'       => "5g\r\nhello\r\n0\r\n\r\n",
    'size with NUL'        => "5\x00\r\nhello\r\n0\r\n\r\n",
    'size with quotes'     => "\"5\"\r\nhello\r\n0\r\n\r\n",
    'size empty'           => "\r\nhello\r\n0\r\n\r\n",
    'size is a word'       => "five\r\nhello\r\n0\r\n\r\n",
    'size high byte'       => "\xb2\r\nhello\r\n0\r\n\r\n",
    'size 2^64+5'          => "10000000000000005\r\nhello\r\n0\r\n\r\n",
    'size -5 in 64 bits'   => "fffffffffffffffb\r\nhello\r\n0\r\n\r\n",
    'size 2^63'            => "8000000000000000\r\nhello\r\n0\r\n\r\n",
    'size with 60 zeros'   => ('0' x 60) . "5\r\nhello\r\n0\r\n\r\n",
    'line ended by LF'     => "5\nhello\r\n0\r\n\r\n",
    'line ended by CR'     => "5\rhello\r\n0\r\n\r\n",
    'line ended by CR;'    => "5\r;x\nhello\r\n0\r\n\r\n",
    'line ended by CRCRLF' => "5\r\r\nhello\r\n0\r\n\r\n",
    'line ended by CR X'   => "5\rX\nhello\r\n0\r\n\r\n",
    'data ended by LF'     => "5\r\nhello\n0\r\n\r\n",
    'data ended by CR'     => "5\r\nhello\r0\r\n\r\n",
    'data ended by two bytes' => "5\r\nhelloXX0\r\n\r\n",
    'data ended by nothing'=> "5\r\nhello0\r\n\r\n",
    'data and an extra CRLF' => "5\r\nhello\r\n\r\n0\r\n\r\n",
    'size smaller'         => "4\r\nhello\r\n0\r\n\r\n",
    'size larger'          => "6\r\nhello\r\n0\r\n\r\n",
    'last chunk ended by LF' => "5\r\nhello\r\n0\n\r\n",
    'end by a bare LF'     => "5\r\nhello\r\n0\r\n\n",
    'last chunk 0 with space' => "5\r\nhello\r\n0 \r\n\r\n",
    'last chunk -0'        => "5\r\nhello\r\n-0\r\n\r\n",
    'last chunk 0x0'       => "5\r\nhello\r\n0x0\r\n\r\n",
    'end by CR X'          => "5\r\nhello\r\n0\r\n\rX",
);
for my $name (sort keys %cases) {
    $a->refused($name,
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n$cases{$name}");
}
$a->refused('size 2^32+5 is not 5',
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n100000005\r\nhello\r\n0\r\n\r\n",
    qr/^4(?:00|13)$/);
$a->refused('no final CRLF, then the end',
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", 400, end => 'fin');
$a->refused('no last chunk, then the end',
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 400, end => 'fin');

my $hello = sub ($seen) { $seen->body eq 'hello' ? () : 'body ' . show($seen->body) };
$a->forwarded('upper and lower case digits',
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    . "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
    sub ($seen) { length $seen->body == 20 ? () : 'length ' . length $seen->body });
$a->judged('last chunk 00',
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00\r\n\r\n", $hello);
$a->judged('a zero before',
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n05\r\nhello\r\n0\r\n\r\n", $hello);

$a->done;
