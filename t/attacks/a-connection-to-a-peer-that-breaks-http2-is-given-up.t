# What breaks a whole connection to a peer: the requests on it fail, none but those; the next ones get another connection.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Http2PeerCases;
use Weir::Test ();

my $t = Weir::Http2PeerCases->new('a connection to a peer that breaks HTTP/2 is given up');

my $head = sub ($s, $flags, @fields) { headers($s, "END_HEADERS $flags", ':status' => 200, @fields) };
my $broken = sub ($name, $bytes, %arg) { $t->case($name, ref $bytes ? $bytes : sub ($s) { $bytes }, 502, qr/^upstream\.(?:h2\.protocol|closed)$/, ends => 1, %arg) };

$broken->('§6.1 DATA on stream 0', data(0, 'x'));
$broken->('§6.1 DATA on an idle stream', data(4001, 'x'));
$broken->('§6.1 padding longer than its frame', sub ($s) { $head->($s, '') . frame('DATA', 'PADDED', $s, "\x05abc") }, );
$broken->('§6.2 HEADERS on stream 0', headers(0, 'END_HEADERS', ':status' => 200));
$broken->('§5.1 HEADERS on an idle stream', headers(4001, 'END_HEADERS', ':status' => 200));
$broken->('§5.1.1 HEADERS on an even stream', headers(2, 'END_HEADERS', ':status' => 200));
$broken->('§6.2 HEADERS padded beyond its end', sub ($s) { frame('HEADERS', 'PADDED END_HEADERS', $s, "\xff\x88") });
$broken->('§6.3 PRIORITY on stream 0', priority(0, 0));
$broken->('§6.4 RST_STREAM on stream 0', rst(0));
$broken->('§6.4 RST_STREAM on an idle stream', rst(4001));
$broken->('§6.4 RST_STREAM of 3 bytes', sub ($s) { frame('RST_STREAM', '', $s, "\0\0\0") });
$broken->('§6.5 SETTINGS on a stream', sub ($s) { frame('SETTINGS', '', $s, '') });
$broken->('§6.5 SETTINGS of 5 bytes', frame('SETTINGS', '', 0, "\0" x 5));
$broken->('§6.5 SETTINGS acknowledged with bytes', frame('SETTINGS', 'ACK', 0, "\0" x 6));
$broken->('§6.5.2 ENABLE_PUSH 1', settings(2 => 1));
$broken->('§6.5.2 INITIAL_WINDOW_SIZE 2^31', settings(4 => 0x80000000));
$broken->('§6.5.2 MAX_FRAME_SIZE 16383', settings(5 => 16383));
$broken->('§6.5.2 MAX_FRAME_SIZE 2^24', settings(5 => 1 << 24));
$broken->('§6.6 PUSH_PROMISE', sub ($s) { frame('PUSH_PROMISE', 'END_HEADERS', $s, pack('N', 2) . fields(Weir::Http2::request_fields())) });
$broken->('§6.7 PING on a stream', sub ($s) { frame('PING', '', $s, '12345678') });
$broken->('§6.7 PING of 7 bytes', frame('PING', '', 0, '1234567'));
$broken->('§6.8 GOAWAY on a stream', sub ($s) { frame('GOAWAY', '', $s, pack 'NN', 0, 0) });
$broken->('§6.8 GOAWAY of 7 bytes', frame('GOAWAY', '', 0, "\0" x 7));
$broken->('§6.9 WINDOW_UPDATE of 3 bytes', frame('WINDOW_UPDATE', '', 0, "\0" x 3));
$broken->('§6.9 WINDOW_UPDATE of 0', window(0, 0));
$broken->('§6.9.1 a window beyond 2^31-1', window(0, 0x7fffffff) x 2);
$broken->('§6.9 WINDOW_UPDATE on an idle stream', window(4001, 1));
$broken->('§6.10 CONTINUATION alone', sub ($s) { continuation($s, 'END_HEADERS', "\x88") });
$broken->('§6.10 another frame within a head', sub ($s) { headers($s, '', ':status' => 200) . ping() });
$broken->('§6.10 CONTINUATION of another stream', sub ($s) { headers($s, '', ':status' => 200) . continuation($s + 2, 'END_HEADERS', '') });
$broken->('§6.10 CONTINUATIONs without end', sub ($s) { headers($s, '', ':status' => 200) . continuation($s, '', '') x 1000 });
$broken->('§6.10 a head without end', sub ($s) { headers($s, '', ':status' => 200) . continuation($s, '', fields('x-a' => 'v' x 10_000)) x 20 });
$broken->('§4.2 a frame of 16,385 bytes', sub ($s) { $head->($s, '') . data($s, 'x' x 16_385) }, );
$broken->('§4.3 a table index beyond the table', sub ($s) { headers($s, 'END_HEADERS END_STREAM', "\x88\xff\x7f") });
$broken->('§4.3 index 0', sub ($s) { headers($s, 'END_HEADERS END_STREAM', "\x88\x80") });
$broken->('§4.3 a truncated block', sub ($s) { headers($s, 'END_HEADERS END_STREAM', "\x88\x40\x0aabc") });
$broken->('§4.3 a table size beyond ours', sub ($s) { headers($s, 'END_HEADERS END_STREAM', "\x3f\xe2\x1f\x88") });
$broken->('RFC 7541 §5.2 Huffman padding of 8 bits', sub ($s) { headers($s, 'END_HEADERS END_STREAM', "\x88\0\x01a\x82\x1f\xff") });
$broken->('an HPACK bomb', sub ($s) { headers($s, 'END_HEADERS END_STREAM', "\x88\x40\x01a" . integer(7, 3900) . 'v' x 3900 . "\xbe" x 10_000) });
$broken->('a flood of PINGs', ping() x 5000);
$broken->('a flood of SETTINGS', settings(3 => 50) x 5000);
$broken->('a flood of empty DATA', sub ($s) { $head->($s, '') . data($s, '') x 5000 });
$broken->('a flood of unknown frames', frame(77, 0, 0, '') x 5000);
$broken->('WINDOW_UPDATEs of 1', window(0, 1) x 5000);
$broken->('§3.4 HTTP/1.1', "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
$broken->('nothing but a close', '', closes => 1);
$broken->('half a frame', sub ($s) { substr $head->($s, ''), 0, 7 }, closes => 1);
$broken->('half a head', sub ($s) { headers($s, '', ':status' => 200) }, closes => 1);
$broken->('GOAWAY PROTOCOL_ERROR', sub ($s) { goaway(0x7fffffff, 'PROTOCOL_ERROR') }, closes => 1);
# The head has gone to the client by then.
for my $case ($t->{cases}->@*) {
    @$case{qw(want cause)} = ('cut', qr/^upstream\./) if $case->{name} =~ /padding longer than its frame|of 16,385 bytes|flood of empty DATA/;
}
$t->case('a close in the body', sub ($s) { $head->($s, '') . data($s, 'abcd') }, 'cut', qr/^upstream\.body\.incomplete$/, closes => 1, ends => 1);
$t->case('GOAWAY and a close in the body', sub ($s) { $head->($s, '') . data($s, 'abcd') . goaway($s, 'NO_ERROR') }, 'cut', qr/^upstream\./, closes => 1, ends => 1);
$t->case('GOAWAY, then the rest', sub ($s) { $head->($s, '') . data($s, 'ab') . goaway($s, 'NO_ERROR') . data($s, 'cd', 'END_STREAM') }, 200, '', ends => 1);
$t->case('a PRIORITY, an unknown frame, a PING', sub ($s) { priority($s, 0) . frame(77, 0xff, $s, 'abc') . ping() . $head->($s, 'END_STREAM') }, 200, '', same => 1);
$t->case('a head in pieces', sub ($s) { headers($s, 'END_STREAM', ':status' => 200) . continuation($s, '', fields('x-a' => 1)) . continuation($s, 'END_HEADERS', fields('x-b' => 2)) },
    200, '', same => 1);
$t->case('a window of its own', sub ($s) { settings(4 => 100_000) . window(0, 100_000) . $head->($s, 'END_STREAM') }, 200, '', same => 1);

$t->run;
Weir::Test::done_testing();
