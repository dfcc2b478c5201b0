use v5.36;
use lib 't/lib';
use Weir::Test ();
use Test::More;
use Weir::Http2 ':all';
use Weir::Http2Cases;

my $t = Weir::Http2Cases->new('windows are kept to and may not overflow');

my @get  = Weir::Http2::request_fields();
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');
my $open = headers(1, 'END_HEADERS', @post);                       # stream 1 is open
my $half = headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold'));    # half closed, not answered

my $get = headers(1, 'END_STREAM END_HEADERS', @get);
$t->case('§6.9 an increment of 0 on a stream', $half . window(1, 0), 'rst PROTOCOL_ERROR');
$t->case('§6.9 an increment of 0 on the connection', window(0, 0), 'goaway PROTOCOL_ERROR');
$t->case("§6.9 $_ bytes", $half . frame('WINDOW_UPDATE', '', 1, "\1" x $_), 'goaway FRAME_SIZE_ERROR') for 3, 5;
$t->case('§6.9.1 the connection above 2^31-1', window(0, 0x7fffffff) . window(0, 0x7fffffff), 'goaway FLOW_CONTROL_ERROR');
$t->case('§6.9.1 a stream above 2^31-1', $half . window(1, 0x7fffffff) . window(1, 0x7fffffff), 'rst FLOW_CONTROL_ERROR');
$t->case('§6.9.2 SETTINGS that lift a stream above it', $half . window(1, 0x7fffffff - 65535) . settings(4, 65536), qr/^goaway FLOW_CONTROL_ERROR$/);
$t->case('§6.9.1 the reserved bit of the increment is ignored', $half . frame('WINDOW_UPDATE', '', 1, pack 'N', 0x80000001) . rst(1), 'idle');

# the peer's windows
my $c = Weir::Http2::client($t->w, settings => [ 4, 1 ]);
$c->request(1);
sub data_of ($c) { while (my $f = $c->next_frame) { return $f if $f->{type} eq 'DATA' } }
is data_of($c)->{payload}, 'h', '§6.9.2 an initial window of 1: one byte';
$c->send(window(1, 2));
is data_of($c)->{payload}, 'el', 'two more';
$c->send(settings(4, 3));
is data_of($c)->{payload}, 'lo', 'SETTINGS change the windows of open streams';

$c = Weir::Http2::client($t->w, settings => [ 4, 0 ]);
$c->request(1);
is $c->next_frame->{type}, 'HEADERS', 'a window of 0: the head comes';
$c->send(ping('nothing?'));
is $c->next_frame->{type}, 'PING', 'and nothing more';
$c->send(settings(4, 65535));
is data_of($c)->{payload}, 'hello', 'until SETTINGS open it';

$c = Weir::Http2::client($t->w, settings => [ 4, 3 ]);
$c->request(1);
is data_of($c)->{payload}, 'hel', 'three bytes, then the window shrinks to 0: it is -3';
$c->send(settings(4, 0) . window(1, 3) . ping('nothing?'));
my $f = $c->next_frame;
is $f->{type}, 'PING', '§6.9.2 three more make it 0: nothing';
$c->send(window(1, 1));
is data_of($c)->{payload}, 'l', 'one more: one byte';

$t->done;
