use v5.36;
use lib 't/lib';
use Weir::Test ();
use Test::More;
use Weir::Http2 ':all';
use Weir::Http2Cases;

my $t = Weir::Http2Cases->new('streams are used in their states only');

my @get  = Weir::Http2::request_fields();
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');
my $open = headers(1, 'END_HEADERS', @post);                       # stream 1 is open
my $half = headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold'));    # half closed, not answered

$t->case("§5.1 idle: $_->[0]", $_->[1], 'goaway PROTOCOL_ERROR')
    for [ DATA => data(1, 'x') ], [ RST_STREAM => rst(1) ], [ WINDOW_UPDATE => window(1, 100) ], [ CONTINUATION => continuation(1, 'END_HEADERS', '') ],
        [ 'DATA with END_STREAM' => data(1, 'x', 'END_STREAM') ];
$t->case('§5.1 idle: PRIORITY is fine', priority(1, 0) . headers(1, 'END_STREAM END_HEADERS', @get), '200', waits => 1);
my $closed = qr/^(?:rst|goaway) STREAM_CLOSED$/;
$t->case('§5.1 half closed: DATA', $half . data(1, 'x'), $closed);
$t->case('§5.1 half closed: HEADERS', $half . headers(1, 'END_STREAM END_HEADERS', @get), $closed);
$t->case('§5.1 half closed: CONTINUATION', $half . continuation(1, 'END_HEADERS', ''), qr/^goaway (?:PROTOCOL_ERROR|STREAM_CLOSED)$/);
$t->case("§5.1 half closed: $_->[0] is fine", $half . $_->[1] . rst(1), 'idle') for [ WINDOW_UPDATE => window(1, 100) ], [ PRIORITY => priority(1, 0) ];
$t->case('§5.1 closed by RST_STREAM: DATA', $open . rst(1) . data(1, 'x'), qr/^(?:(?:rst|goaway) STREAM_CLOSED)$/);
$t->case('§5.1 closed by RST_STREAM: HEADERS', $open . rst(1) . headers(1, 'END_STREAM END_HEADERS', @get), $closed);
$t->case('§5.1 closed by RST_STREAM: CONTINUATION', $open . rst(1) . continuation(1, 'END_HEADERS', ''), qr/^goaway/);
my $ended = sub ($frame) { sub ($c) { $c->request(1)->verdict(1, waits => 1) eq '200' or die "not answered\n"; $frame } };
$t->case('§5.1 ended: DATA', $ended->(data(1, 'x')), 'goaway STREAM_CLOSED');
$t->case('§5.1 ended: HEADERS', $ended->(headers(1, 'END_STREAM END_HEADERS', @get)), 'goaway STREAM_CLOSED');
$t->case('§5.1 ended: CONTINUATION', $ended->(continuation(1, 'END_HEADERS', '')), qr/^goaway/);
$t->case("§5.1 ended: $_->[0] is fine", $ended->($_->[1]), 'idle') for [ WINDOW_UPDATE => window(1, 100) ], [ PRIORITY => priority(1, 0) ], [ RST_STREAM => rst(1) ];
$t->case('§5.1.1 an even number', headers(2, 'END_STREAM END_HEADERS', @get), 'goaway PROTOCOL_ERROR');
$t->case('§5.1.1 a number below one used', headers(5, 'END_STREAM END_HEADERS', @get) . headers(3, 'END_STREAM END_HEADERS', @get), qr/^goaway (?:PROTOCOL_ERROR|STREAM_CLOSED)$/, stream => 3, waits => 1);
$t->case('§5.1.1 numbers may be left out', headers(7, 'END_STREAM END_HEADERS', @get), '200', stream => 7, waits => 1);
$t->case('§5.1.1 a number that was left out is closed', headers(7, 'END_STREAM END_HEADERS', @get) . data(5, 'x'), qr/^(?:rst|goaway) STREAM_CLOSED$/, stream => 5, waits => 1);
$t->case('§5.1.1 the highest number', headers(0x7fffffff, 'END_STREAM END_HEADERS', @get), '200', stream => 0x7fffffff, waits => 1, last => 1);

$t->done;
