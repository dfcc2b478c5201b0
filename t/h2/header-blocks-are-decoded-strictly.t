use v5.36;
use lib 't/lib';
use Weir::Test ();
use Test::More;
use Weir::Http2 ':all';
use Weir::Http2Cases;

my $t = Weir::Http2Cases->new('header blocks are decoded strictly');

my @get  = Weir::Http2::request_fields();
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');
my $open = headers(1, 'END_HEADERS', @post);                       # stream 1 is open
my $half = headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold'));    # half closed, not answered

my $block = fields(@get);
my $bad = sub ($name, $bytes) { $t->case($name, headers(1, 'END_STREAM END_HEADERS', $block . $bytes), 'goaway COMPRESSION_ERROR') };
my $good = sub ($name, $bytes, $look = undef) { $t->case($name, headers(1, 'END_STREAM END_HEADERS', $bytes), '200', waits => 1) };
$bad->('RFC 7541 §6.1 index 0', "\x80");
$bad->('§2.3.3 an index beyond the tables', "\xbe");
$bad->('§2.3.3 an index far beyond', integer(7, 5000, 0x80));
$bad->('§2.3.3 a name\'s index beyond', "\x7e" . literal('v'));
$bad->('§5.1 an integer that is too large', "\xff" . "\xff" x 9 . "\x7f");
$bad->('§5.1 an integer that does not end', "\xff\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80");
$bad->('§5.1 an integer that is cut', "\xff");
$bad->('§5.2 a string longer than the block', "\0\x7f" . 'x');
$bad->('§5.2 a string without its value', "\0" . literal('x'));
$bad->('§5.2 a length of 2^31', "\0" . integer(7, 0x7fffffff));
$bad->('§5.2 padding of 8 ones', "\0" . literal('x-a') . "\x82\x1f\xff");
$bad->('§5.2 padding of 16 ones', "\0" . literal('x-a') . "\x83\x1f\xff\xff");
$bad->('§5.2 padding of zeros', "\0" . literal('x-a') . "\x81\x18");
$bad->('§5.2 EOS', "\0" . literal('x-a') . "\x84\xff\xff\xff\xff");
$bad->('§6.3 a size update above the limit', integer(5, 4097, 0x20));
$bad->('§4.2 a size update behind a field', integer(5, 100, 0x20));
$t->case('§6.3 above the limit at the beginning', headers(1, 'END_STREAM END_HEADERS', integer(5, 4097, 0x20) . $block), 'goaway COMPRESSION_ERROR');
$good->('§6.3 to the limit', integer(5, 4096, 0x20) . $block);
$good->('§6.3 to 0 and back', "\x20" . integer(5, 4096, 0x20) . $block);
$good->('§6.1 indexed of the static table', "\x82\x86\x84" . field(':authority', 'localhost'));
$good->('§6.2.2 names of the static table', "\x02" . literal('GET') . "\x06" . literal('http') . "\x04" . literal('/') . "\x01" . literal('localhost'));
$good->('§6.2.3 never indexed', "\x12" . literal('GET') . "\x16" . literal('http') . "\x14" . literal('/') . "\x11" . literal('localhost'));
$good->('§5.2 Huffman', "\x82\x86\x84\x41\x86\xa0\xe4\x1d\x13\x9d\x09");
$good->('§5.2 an empty string, coded', $block . "\0" . literal('x-a') . "\x80");
# entries that were added are there in later heads, newest first
my $c = Weir::Http2::client($t->w);
$c->send(headers(1, 'END_STREAM END_HEADERS', "\x82\x86\x84\x41" . literal('localhost') . "\x40" . literal('x-a') . literal('1')));
is $c->verdict(1, waits => 1), '200', '§6.2.1 entries are added';
$c->send(headers(3, 'END_STREAM END_HEADERS', "\x82\x86\x84\xbf\xbe"));
is $c->verdict(3, waits => 1), '200', '§2.3.3 and found';
$c->send(headers(5, 'END_STREAM END_HEADERS', "\x20\x82\x86\x84\xbf"));
is $c->verdict(5), 'goaway COMPRESSION_ERROR', '§4.3 and gone with the table';
# an entry larger than the table empties it
$c = Weir::Http2::client($t->w);
$c->send(headers(1, 'END_STREAM END_HEADERS', "\x82\x86\x84\x41" . literal('localhost') . "\x40" . literal('x-a') . literal('v' x 5000)));
is $c->verdict(1, waits => 1), '200', '§4.4 an entry larger than the table';
$c->send(headers(3, 'END_STREAM END_HEADERS', "\x82\x86\x84\xbe"));
is $c->verdict(3), 'goaway COMPRESSION_ERROR', 'empties it';
# a refused head goes through the tables all the same
$c = Weir::Http2::client($t->w);
$c->send(headers(1, 'END_STREAM END_HEADERS', "\x82\x86\x84\x41" . literal('localhost') . "\0" . literal('X-Bad') . literal('1')));
is $c->verdict(1), 'rst PROTOCOL_ERROR', 'a malformed head';
$c->send(headers(3, 'END_STREAM END_HEADERS', "\x82\x86\x84\xbe"));
is $c->verdict(3, waits => 1), '200', 'leaves its entries in the table';

$t->done;
