# Requests that are taken back as fast as they are made (CVE-2023-44487).
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Http2Flood;

my $t   = Weir::Http2Flood->new('streams that are reset at once end the connection');
my @get = Weir::Http2::request_fields(':path' => '/echo');

my $pairs = sub ($n, %arg) {
    my $id = -1;
    return sub ($c) {
        return undef if ($id += 2) > 2 * $n;
        return headers($id, 'END_HEADERS ' . ($arg{open} ? '' : 'END_STREAM'), $arg{fields} ? $arg{fields}->@* : @get) . rst($id, $arg{code} // 'CANCEL');
    };
};
$t->ends('CANCEL',              $pairs->(20_000), cause => 'client.h2.rapid_reset', upstream => 200);
$t->ends('NO_ERROR',            $pairs->(2000, code => 'NO_ERROR'), cause => 'client.h2.rapid_reset', upstream => 200);
$t->ends('an unknown code',     $pairs->(2000, code => 0xdeadbeef), cause => 'client.h2.rapid_reset', upstream => 200);
$t->ends('uploads',             $pairs->(2000, open => 1, fields => [ Weir::Http2::request_fields(':method' => 'POST', ':path' => '/echo') ]),
    cause => 'client.h2.rapid_reset', upstream => 200);
$t->ends('of what waits upstream', $pairs->(2000, fields => [ Weir::Http2::request_fields(':path' => '/hold') ]), cause => 'client.h2.rapid_reset');
my @some = map { my $id = 2 * $_ + 1; headers($id, 'END_HEADERS END_STREAM', @get) . rst($id) } 0 .. 89;
$t->bears('a client may change its mind ninety times', \@some);

# All of a flood in one segment is no other.
my $at_once = '';
$at_once .= headers(2 * $_ + 1, 'END_HEADERS END_STREAM', @get) . rst(2 * $_ + 1) for 0 .. 999;
$t->ends('coalesced', [ $at_once ], cause => 'client.h2.rapid_reset', upstream => 200);

$t->done;
