# What is refused because the requests of a connection hold enough already is not counted as if the client had reset
# it: the connection serves on when there is room.  Who goes on asking without end is a flood; who opens more streams
# than it was told it may, resets them itself.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Http2Flood;

my $t = Weir::Http2Flood->new('streams that Weir refuses are no resets of the client',
    http => 'http2_header_budget 40k;');

my @hold = Weir::Http2::request_fields(':path' => '/hold');        # some twenty of them fill the budget
my $ask  = sub (@n) { join '', map { headers(2 * $_ + 1, 'END_HEADERS END_STREAM', @hold) } @n };

$t->bears('four hundred requests, most of them refused', [ $ask->(0 .. 399), rst(1) . rst(3) ]);
my $id = -1;
$t->ends('five thousand', sub ($c) { ($id += 2) > 10_000 ? undef : headers($id, 'END_HEADERS END_STREAM', @hold) },
    cause => 'client.h2.flood');

# 64 hold all that may be open; they are small.
my $small = Weir::Http2Flood->new('more streams than were allowed', http => 'http2_max_concurrent_streams 64;');
my $next = -1;
$small->ends('beyond http2_max_concurrent_streams',
    sub ($c) { ($next += 2) > 2000 ? undef : headers($next, 'END_HEADERS END_STREAM', @hold) },
    cause => 'client.h2.rapid_reset');

$t->done;
