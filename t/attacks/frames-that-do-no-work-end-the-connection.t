# Floods of frames that ask for nothing, or for answers that nobody reads (CVE-2019-9511 … 9518, CVE-2020-11080).
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Http2Flood;

my $t     = Weir::Http2Flood->new('frames that do no work end the connection');
my $open  = headers(1, 'END_HEADERS', Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold'));
my %flood = (cause => 'client.h2.flood');

$t->ends('PING', [ (ping() x 100) x 100 ], %flood);
$t->ends('SETTINGS', [ (settings(3 => 100) x 100) x 100 ], %flood);
$t->ends('empty SETTINGS', [ (settings() x 100) x 100 ], %flood);
$t->ends('SETTINGS of 2,700 entries', [ (settings(map { (3 => $_) } 1 .. 2700)) x 200 ], %flood);
$t->ends('PRIORITY', [ (map { priority(2 * $_ + 1, 0) } 1 .. 20_000) ], %flood);
$t->ends('WINDOW_UPDATE of 1', [ (window(0, 1) x 100) x 100 ], %flood);
$t->ends('WINDOW_UPDATE of 1 on a stream', [ (window(1, 1) x 100) x 100 ], before => $open, %flood);
$t->ends('an unknown type', [ (frame(200, 0, 0, '') x 100) x 100 ], %flood);
$t->ends('an unknown type, large', [ (frame(200, 0, 0, 'x' x 16384)) x 2000 ], %flood);
$t->ends('empty DATA', [ (data(1, '') x 100) x 100 ], before => $open, %flood);
$t->ends('DATA of padding', [ (frame('DATA', 'PADDED', 1, "\xff" . "\0" x 255) x 10) x 1000 ], before => $open, %flood);
$t->ends('GOAWAY', [ (goaway(0, 0) x 100) x 100 ], %flood);
$t->ends('PING of answers', [ (ping('12345678', 'ACK') x 100) x 300 ], %flood);
$t->ends('SETTINGS acknowledged', [ (frame('SETTINGS', 'ACK', 0) x 100) x 300 ], %flood);
$t->ends('PRIORITY_UPDATE', [ (frame(16, 0, 0, pack('N', 1) . 'u=1') x 100) x 100 ], before => $open, %flood);

# Clients that read nothing: what is to be said to them is bounded.
my $w      = $t->w;
my $before = $w->memory;
my @silent = map { my $c = Weir::Http2::client($w, rcvbuf => 4096); $c->write(ping() x 900); $c } 1 .. 100;
$_->close for @silent;
Test::More::cmp_ok($w->memory - $before, "<", 8 * 1024, 'a hundred that read no answers fill no memory');

$t->bears('two hundred PINGs', [ ping() x 200 ]);
$t->bears('a hundred SETTINGS', [ settings(3 => 100) x 100 ]);
$t->bears('empty DATA between', [ join '', map { headers($_, 'END_HEADERS', Weir::Http2::request_fields(':method' => 'POST')) . data($_, '') . data($_, 'x') . data($_, '', 'END_STREAM') }
    map { 2 * $_ + 1 } 1 .. 90 ]);

$t->done;
