use v5.36;
use lib 't/lib';
use Weir::Test ();
use Test::More;
use Weir::Http2 ':all';
use Weir::Http2Cases;

my $t = Weir::Http2Cases->new('a body is as long as said');

my @get  = Weir::Http2::request_fields();
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');
my $open = headers(1, 'END_HEADERS', @post);                       # stream 1 is open
my $half = headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold'));    # half closed, not answered

my $post = sub ($flags, @more) { headers(1, "END_HEADERS $flags", Weir::Http2::request_fields(':method' => 'POST', ':path' => '/echo'), @more) };
my ($bad, $wrong) = (qr/^rst PROTOCOL_ERROR$/, '400');
$t->case('§8.1.1 less in one', $post->('', 'content-length' => 5) . data(1, 'abcd', 'END_STREAM'), $wrong, waits => 1);
$t->case('§8.1.1 more in one', $post->('', 'content-length' => 3) . data(1, 'abcd', 'END_STREAM'), $wrong, waits => 1);
$t->case('§8.1.1 more in two', $post->('', 'content-length' => 3) . data(1, 'ab') . data(1, 'cd', 'END_STREAM'), $wrong, waits => 1);
$t->case('§8.1.1 less in two', $post->('', 'content-length' => 9) . data(1, 'ab') . data(1, 'cd', 'END_STREAM'), $wrong, waits => 1);
$t->case('§8.1.1 padding does not count', $post->('', 'content-length' => 7) . frame('DATA', 'PADDED END_STREAM', 1, "\x03abcd\0\0\0"), $wrong, waits => 1);
$t->case('§8.1.1 a length and no body', $post->('END_STREAM', 'content-length' => 1), $wrong, waits => 1);
$t->case('§8.1.1 less before trailers', $post->('', 'content-length' => 5) . data(1, 'abcd') . headers(1, 'END_HEADERS END_STREAM', 'x-t' => 1), $wrong, waits => 1);
$t->case("§8.1.1 content-length '$_'", $post->('', 'content-length' => $_) . data(1, 'abcd', 'END_STREAM'), $bad, waits => 1) for '', '-4', '+4', '4,4', '4 4', '0x4', '4a', '99999999999999999999';
$t->case('§8.1.1 two lengths', $post->('', 'content-length' => 4, 'content-length' => 4) . data(1, 'abcd', 'END_STREAM'), $bad, waits => 1);
$t->served('§8.1.1 as said', $post->('', 'content-length' => 4) . data(1, 'ab') . data(1, 'cd', 'END_STREAM'), sub ($seen) { $seen->body eq 'abcd' ? () : $seen->body });
$t->served('§8.1.1 a length of 0', $post->('END_STREAM', 'content-length' => 0));
$t->served('§8.1 trailers end a body', $post->('') . data(1, 'abcd') . headers(1, 'END_HEADERS END_STREAM', 'x-t' => 1), sub ($seen) { $seen->body eq 'abcd' ? () : $seen->body });
$t->case('§8.1 a second HEADERS without END_STREAM', $open . headers(1, 'END_HEADERS', 'x-t' => 1), 'rst PROTOCOL_ERROR');
$t->case('§8.1 DATA behind trailers', $open . headers(1, 'END_HEADERS END_STREAM', 'x-t' => 1) . data(1, 'x'), qr/^(?:rst|goaway) STREAM_CLOSED$/);
$t->case("§8.1 trailers with $_->[0]", $open . headers(1, 'END_HEADERS END_STREAM', @$_), 'rst PROTOCOL_ERROR') for [ ':path' => '/' ], [ ':method' => 'GET' ], [ 'X-Upper' => 1 ], [ connection => 'close' ], [ 'transfer-encoding' => 'chunked' ], [ 'x-v' => "a\nb" ];

$t->done;
