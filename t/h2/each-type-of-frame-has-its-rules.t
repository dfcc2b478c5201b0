use v5.36;
use lib 't/lib';
use Weir::Test ();
use Test::More;
use Weir::Http2 ':all';
use Weir::Http2Cases;

my $t = Weir::Http2Cases->new('each type of frame has its rules');

my @get  = Weir::Http2::request_fields();
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');
my $open = headers(1, 'END_HEADERS', @post);                       # stream 1 is open
my $half = headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold'));    # half closed, not answered

my $get = headers(1, 'END_STREAM END_HEADERS', @get);
sub padded ($type, $stream, $flags, $pad, $payload) { frame($type, "PADDED $flags", $stream, chr($pad) . $payload . "\0" x ($pad > length $payload ? 0 : $pad)) }

# DATA (§6.1)
$t->case('§6.1 stream 0', data(0, 'x'), 'goaway PROTOCOL_ERROR');
$t->case('§6.1 padding as long as the frame', $open . frame('DATA', 'PADDED', 1, "\x05xxxx"), 'goaway PROTOCOL_ERROR');
$t->case('§6.1 padding longer than the frame', $open . frame('DATA', 'PADDED', 1, "\xffx"), 'goaway PROTOCOL_ERROR');
$t->case('§6.1 PADDED without a length', $open . frame('DATA', 'PADDED', 1, ''), qr/^goaway (?:FRAME_SIZE|PROTOCOL)_ERROR$/);
$t->served('§6.1 padding is taken off', headers(1, 'END_HEADERS', Weir::Http2::request_fields(':method' => 'POST', ':path' => '/echo')) . frame('DATA', 'PADDED', 1, "\x03abc\0\0\0") . data(1, 'def', 'END_STREAM'),
    sub ($seen) { $seen->body eq 'abcdef' ? () : $seen->body });
$t->served('§6.1 an empty frame ends', headers(1, 'END_HEADERS', Weir::Http2::request_fields(':method' => 'POST', ':path' => '/echo')) . data(1, 'abc') . data(1, '', 'END_STREAM'),
    sub ($seen) { $seen->body eq 'abc' ? () : $seen->body });

# HEADERS (§6.2)
$t->case('§6.2 stream 0', headers(0, 'END_STREAM END_HEADERS', @get), 'goaway PROTOCOL_ERROR');
$t->case('§6.2 padding as long as the frame', frame('HEADERS', 'PADDED END_STREAM END_HEADERS', 1, "\xff" . fields(@get)), 'goaway PROTOCOL_ERROR');
$t->case('§6.2 padded', frame('HEADERS', 'PADDED END_STREAM END_HEADERS', 1, "\x03" . fields(@get) . "\0\0\0"), '200', waits => 1);
$t->case('§6.2 with a priority', frame('HEADERS', 'PRIORITY END_STREAM END_HEADERS', 1, pack('NC', 0, 15) . fields(@get)), '200', waits => 1);
$t->case('§6.2 padded, with a priority', frame('HEADERS', 'PADDED PRIORITY END_STREAM END_HEADERS', 1, "\x02" . pack('NC', 0x80000000, 15) . fields(@get) . "\0\0"), '200', waits => 1);
$t->case('§6.2 a priority that does not fit', frame('HEADERS', 'PRIORITY END_STREAM END_HEADERS', 1, "\0\0"), qr/^goaway (?:FRAME_SIZE|PROTOCOL)_ERROR$/);

# PRIORITY (§6.3)
$t->case('§6.3 stream 0', priority(0, 1), 'goaway PROTOCOL_ERROR');
$t->case("§6.3 $_ bytes", $open . frame('PRIORITY', '', 1, 'x' x $_), 'rst FRAME_SIZE_ERROR') for 4, 6;
$t->case("§6.3 $_ bytes on a stream that was never opened", frame('PRIORITY', '', 1, 'x' x $_) . headers(1, 'END_STREAM END_HEADERS', @get), 'goaway FRAME_SIZE_ERROR') for 4, 6;
$t->case('§6.3 on a stream to come', priority(99, 0) . $get, '200', waits => 1);

# RST_STREAM (§6.4)
$t->case('§6.4 stream 0', rst(0), 'goaway PROTOCOL_ERROR');
$t->case("§6.4 $_ bytes", $open . frame('RST_STREAM', '', 1, "\0" x $_), 'goaway FRAME_SIZE_ERROR') for 0, 3, 5;
$t->case('§6.4 an unknown code', $open . rst(1, 0xdead), 'idle');

# SETTINGS (§6.5)
$t->case('§6.5 an acknowledgement with a payload', frame('SETTINGS', 'ACK', 0, pack('nN', 1, 1)), 'goaway FRAME_SIZE_ERROR');
$t->case('§6.5 on a stream', frame('SETTINGS', '', 1, ''), 'goaway PROTOCOL_ERROR');
$t->case("§6.5 $_ bytes", frame('SETTINGS', '', 0, "\0" x $_), 'goaway FRAME_SIZE_ERROR') for 1, 5, 7;
$t->case("§6.5.2 ENABLE_PUSH $_", settings(2, $_), 'goaway PROTOCOL_ERROR') for 2, 0xffffffff;
$t->case('§6.5.2 INITIAL_WINDOW_SIZE 2^31', settings(4, 0x80000000), 'goaway FLOW_CONTROL_ERROR');
$t->case("§6.5.2 MAX_FRAME_SIZE $_", settings(5, $_), 'goaway PROTOCOL_ERROR') for 0, 16383, 16777216;
$t->case("§6.5.2 MAX_FRAME_SIZE $_", settings(5, $_) . $get, '200', waits => 1) for 16384, 16777215;
$t->case('§6.5.2 an unknown setting is ignored', settings(0xff00, 1) . $get, '200', waits => 1);
$t->case('§6.5.3 the last of several counts', settings(4, 100, 4, 0, 4, 65535) . $get, '200', waits => 1);
my $c = Weir::Http2::client($t->w);
$c->{mute} = 1;
$c->send(settings(3, 10));
my $f = $c->read_frame;
$f = $c->read_frame while $f && !($f->{type} eq 'SETTINGS' && $f->{flags} & 1);
is $f && length $f->{payload}, 0, '§6.5.3 SETTINGS are acknowledged';

# PING (§6.7)
$t->case('§6.7 on a stream', frame('PING', '', 1, '12345678'), 'goaway PROTOCOL_ERROR');
$t->case("§6.7 $_ bytes", frame('PING', '', 0, 'x' x $_), 'goaway FRAME_SIZE_ERROR') for 0, 7, 9;
$c->send(ping('answered') . ping('not this', 'ACK') . ping('answers!'));
my @acks;
while (@acks < 2 and my $p = $c->next_frame) { push @acks, $p->{payload} if $p->{type} eq 'PING' && $p->{flags} & 1 }
is "@acks", 'answered answers!', '§6.7 PINGs are answered with their bytes, answers are not';

# GOAWAY (§6.8)
$t->case('§6.8 on a stream', frame('GOAWAY', '', 1, pack 'NN', 0, 0), 'goaway PROTOCOL_ERROR');
$t->case('§6.8 too short', frame('GOAWAY', '', 0, "\0" x 7), 'goaway FRAME_SIZE_ERROR');
$t->case('§6.8 streams go on after a client said it', $get . goaway(0, 'NO_ERROR'), '200', waits => 1, last => 1);

# CONTINUATION (§6.10)
my $block = fields(@get);
$t->case('§6.10 a head in three', frame('HEADERS', 'END_STREAM', 1, substr $block, 0, 5) . continuation(1, '', substr $block, 5, 7) . continuation(1, 'END_HEADERS', substr $block, 12), '200', waits => 1);
$t->case('§6.10 empty ones', frame('HEADERS', 'END_STREAM', 1, '') . continuation(1, '', $block) . continuation(1, 'END_HEADERS', ''), '200', waits => 1);
$t->case('§6.10 after the end of a head', $half . continuation(1, 'END_HEADERS', ''), qr/^goaway (?:PROTOCOL_ERROR|STREAM_CLOSED)$/, patient => 1);
$t->case('§6.10 after DATA', $open . data(1, 'x') . continuation(1, 'END_HEADERS', ''), 'goaway PROTOCOL_ERROR');
$t->case('§6.10 on stream 0', headers(1, 'END_STREAM', @get) . continuation(0, 'END_HEADERS', ''), 'goaway PROTOCOL_ERROR');
$t->case('§6.10 on another stream', headers(1, 'END_STREAM', @get) . continuation(3, 'END_HEADERS', ''), 'goaway PROTOCOL_ERROR');

$t->done;
