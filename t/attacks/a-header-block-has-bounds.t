# CONTINUATION floods (CVE-2024-27316 and its kin): frames, bytes and time of a header block are bounded, whether the head is
# refused or not.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Http2Flood;

my $t     = Weir::Http2Flood->new('a header block has bounds');
my @get   = Weir::Http2::request_fields();
my $begin = headers(1, 'END_STREAM', @get);
my %calm  = (cause => 'client.h2.continuation');

$t->ends('empty ones without end', [ $begin, (continuation(1, '', '')) x 20_000 ], %calm);
$t->ends('a byte each', [ $begin, map { continuation(1, '', $_) } split //, fields(map { ("x-$_" => 'v' x 20) } 1 .. 400) ], %calm);
$t->ends('of large fields without end', [ $begin, (continuation(1, '', fields('x-large' => 'v' x 4000))) x 500 ], %calm);
$t->ends('of Huffman without end', [ $begin, (continuation(1, '', "\0\x01x" . integer(7, 8000, 128) . "\x1c" x 8000)) x 100 ], %calm);
$t->ends('of table entries without end', [ $begin, (continuation(1, '', "\x82" x 8000)) x 100 ], %calm);
$t->ends('in trailers', [ headers(1, 'END_HEADERS', @get), headers(1, 'END_STREAM', 'x-t' => 1), (continuation(1, '', '')) x 20_000 ], %calm);
$t->ends('of a stream beyond the limit', [
    (map { headers(2 * $_ + 1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold')) } 0 .. 127),
    headers(257, 'END_STREAM', @get), (continuation(257, '', '')) x 20_000 ], %calm);
$t->ends("$_->[0] between", [ $begin, $_->[1] ], code => 'PROTOCOL_ERROR', cause => 'client.h2.protocol')
    for [ 'another frame', ping() ], [ 'another stream', continuation(3, 'END_HEADERS', '') ], [ 'an unknown frame', frame(99, 0, 0, 'x') ],
    [ 'a second head', headers(3, 'END_HEADERS END_STREAM', @get) ], [ 'DATA', data(1, 'x') ];
$t->bears('in eight frames more than needed it is borne', [ headers(1, 'END_STREAM', substr(fields(@get), 0, 3)),
    (continuation(1, '', '')) x 6, continuation(1, 'END_HEADERS', substr fields(@get), 3) ]);
$t->bears('a large one in frames of 100 bytes', [ do {
    my @pieces = unpack '(a100)*', fields(@get, map { ("x-$_" => 'v' x 60) } 1 .. 5);
    (headers(1, 'END_STREAM', shift @pieces), (map { continuation(1, '', $_) } @pieces[ 0 .. $#pieces - 1 ]), continuation(1, 'END_HEADERS', $pieces[-1])) } ]);

$t->done;
