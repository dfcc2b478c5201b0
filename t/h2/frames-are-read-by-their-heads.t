use v5.36;
use lib 't/lib';
use Weir::Test ();
use Test::More;
use Weir::Http2 ':all';
use Weir::Http2Cases;

my $t = Weir::Http2Cases->new('frames are read by their heads');

my @get  = Weir::Http2::request_fields();
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');
my $open = headers(1, 'END_HEADERS', @post);                       # stream 1 is open
my $half = headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold'));    # half closed, not answered

my $get = headers(1, 'END_STREAM END_HEADERS', @get);
$t->case('§4.1 an unknown type is ignored', frame(0x16, 0, 0, 'x' x 8) . $get, '200', waits => 1);
$t->case('§4.1 an unknown type on a stream is ignored', frame(0xee, 0xff, 1, 'x' x 8) . $get, '200', waits => 1);
$t->case('§4.1 unknown flags are ignored', frame('PING', 0x16, 0, '12345678') . $get, '200', waits => 1);
$t->case('§4.1 the reserved bit is ignored', substr($get, 0, 5) . pack('N', 0x80000001) . substr($get, 9), '200', waits => 1);
$t->case('§4.2 DATA of 16384 bytes', $open . data(1, 'x' x 16384) . rst(1), 'idle');
$t->case('§4.2 DATA above the largest size', $open . data(1, 'x' x 16385), qr/^(?:rst|goaway) FRAME_SIZE_ERROR$/);
$t->case('§4.2 HEADERS above it', frame('HEADERS', 'END_HEADERS', 1, 'x' x 16385), 'goaway FRAME_SIZE_ERROR');
$t->case('§4.2 SETTINGS above it', frame('SETTINGS', '', 0, "\0" x 16386), 'goaway FRAME_SIZE_ERROR');
$t->case('§4.2 an unknown type above it', frame(0x16, 0, 0, 'x' x 16385), 'goaway FRAME_SIZE_ERROR');
$t->case('§4.2 a length that never comes is not waited for', frame('HEADERS', 'END_HEADERS', 1, '', length => 0xffffff), 'goaway FRAME_SIZE_ERROR');
$t->case('§4.3 PRIORITY inside a head', headers(1, 'END_STREAM', @get) . priority(1, 0) . continuation(1, 'END_HEADERS', ''), 'goaway PROTOCOL_ERROR');
$t->case('§4.3 HEADERS of another stream inside a head', headers(1, 'END_STREAM', @get) . headers(3, 'END_STREAM END_HEADERS', @get), 'goaway PROTOCOL_ERROR');
$t->case('§4.3 PING inside a head', headers(1, 'END_STREAM', @get) . ping(), 'goaway PROTOCOL_ERROR');
$t->case('§5.5 an unknown type inside a head', headers(1, 'END_STREAM', @get) . frame(0x16, 0, 0, 'x'), 'goaway PROTOCOL_ERROR');
$t->case('§6.6 PUSH_PROMISE of a client', frame('PUSH_PROMISE', 'END_HEADERS', 1, pack('N', 2) . fields(@get)), 'goaway PROTOCOL_ERROR');

$t->done;
