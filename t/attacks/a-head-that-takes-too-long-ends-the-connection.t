# A header block that is begun and never ended has client_header_timeout, however its bytes dribble.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Http2Flood;

my $t   = Weir::Http2Flood->new('a head that takes too long ends the connection', http => 'client_header_timeout 400ms;');
my @get = Weir::Http2::request_fields();

$t->ends('nothing more comes', [ headers(1, 'END_STREAM', @get) ], cause => 'client.h2.continuation');
$t->ends('nothing more of a frame comes', [ substr headers(1, 'END_HEADERS END_STREAM', @get), 0, 20 ], cause => 'client.h2.continuation');
my $frames = 0;
$t->ends('a frame now and then', sub ($c) {
    Time::HiRes::sleep(0.15) if $frames++;
    return $frames == 1 ? headers(1, 'END_STREAM', @get) : $frames < 8 ? continuation(1, '', '') : undef;
}, cause => 'client.h2.continuation');

$t->done;
