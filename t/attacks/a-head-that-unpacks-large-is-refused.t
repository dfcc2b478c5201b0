# What a few bytes on the wire unpack to is counted before it is kept: fields, cookie crumbs and table entries as RFC 7541
# §4.1 counts them. Such a head is answered with 431; far beyond it the connection ends.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Http2Flood;

my $t     = Weir::Http2Flood->new('a head that unpacks large is refused', http => 'max_headers 100;');
my $get   = fields(Weir::Http2::request_fields());
my $added = sub ($name, $value) { "\x40" . literal($name) . literal($value) };      # into the table

my $table = sub ($text, $n) { $get . $text . "\xbe" x $n };
$t->case('101 fields', headers(1, 'END_HEADERS END_STREAM', $get . fields(map { ("x-$_" => '') } 1 .. 101)), '431');
$t->case('100 fields', headers(1, 'END_HEADERS END_STREAM', $get . fields(map { ("x-$_" => '') } 1 .. 90)), '200');
$t->case('a near-empty entry 1,000 times', headers(1, 'END_HEADERS END_STREAM', $table->($added->('a', ''), 1000)), '431');
$t->case('crumbs of a cookie 1,000 times', headers(1, 'END_HEADERS END_STREAM', $table->($added->('cookie', 'a'), 1000)), '431');
$t->case('empty crumbs 1,000 times', headers(1, 'END_HEADERS END_STREAM', $table->($added->('cookie', ''), 1000)), '431');
$t->case('an entry of 3,000 bytes 20 times', headers(1, 'END_HEADERS END_STREAM', $table->($added->('x-a', 'v' x 3000), 20)), '431');
$t->ends('an entry of 3,900 bytes 8,000 times', [ headers(1, 'END_HEADERS END_STREAM', $table->($added->('x-a', 'v' x 3900), 8000)) ],
    cause => 'client.h2.flood');
$t->ends('a near-empty entry 16,200 times', [ headers(1, 'END_HEADERS END_STREAM', $table->($added->('a', ''), 16_200)) ],
    cause => 'client.h2.flood');
$t->case('a field of 9,000 bytes', headers(1, 'END_HEADERS END_STREAM', $get . fields('x-a' => 'v' x 9000)), '431');

# Whole requests, each of the same small block: the table is bounded, and none is kept.
my $w      = $t->w;
my $before = $w->memory;
my $c      = Weir::Http2::client($w);
my $id     = 1;
my %is;
$c->write(headers($id, 'END_HEADERS END_STREAM', $table->($added->('a', ''), 1000)));
$is{ $c->verdict($id, waits => 1) }++;
for (1 .. 200) {
    $id += 2;
    $c->write(headers($id, 'END_HEADERS END_STREAM', $get . "\xbe" x 1000));
    $is{ $c->verdict($id, waits => 1) }++;
}
Test::More::is_deeply(\%is, { 431 => 201 }, '200 heads of 1,000 fields each are refused one by one');
Test::More::cmp_ok($w->memory - $before, "<", 4 * 1024, 'and leave no memory behind');
$c->close;

$t->done;
