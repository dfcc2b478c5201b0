use v5.36;
use lib 't/lib';
use Weir::Test ();
use Test::More;
use Weir::Http2 ':all';
use Weir::Http2Cases;

my $t = Weir::Http2Cases->new('more streams than allowed are refused', http => 'http2_max_concurrent_streams 3;');

my @get  = Weir::Http2::request_fields();
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');
my $open = headers(1, 'END_HEADERS', @post);                       # stream 1 is open
my $half = headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold'));    # half closed, not answered

my $hold = sub ($id) { headers($id, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold')) };
$t->case('§5.1.2 one too many', join('', map { $hold->($_) } 1, 3, 5, 7), 'rst REFUSED_STREAM', stream => 7, last => 1);
$t->case('§5.1.2 as many as allowed', join('', map { $hold->($_) } 1, 3, 5), 'idle', stream => 5, last => 1);
$t->case('§5.1.2 room again after a reset', join('', map { $hold->($_) } 1, 3, 5) . rst(1) . headers(7, 'END_STREAM END_HEADERS', @get), '200', stream => 7, waits => 1, last => 1);
my $c = Weir::Http2::client($t->w);
is $c->{peer}{3}, 3, 'SETTINGS say how many';

$t->done;
