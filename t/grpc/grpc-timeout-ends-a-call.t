# Grpc-timeout is passed on and kept: when it is over the client is told DEADLINE_EXCEEDED, and the peer that nobody waits.
use v5.36;
use lib 't/lib';
use Time::HiRes 'time';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('grpc timeout ends a call');
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    $h2->{deadline} = 60;
    while (my $f = $h2->next_frame) {
        $c->note('reset ' . $Weir::Http2::ERRORS[unpack 'N', $f->{payload}]) if $f->{type} eq 'RST_STREAM';
        next unless $f->{type} eq 'HEADERS';
        my %h = map { @$_ } $f->{fields}->@*;
        $c->note('timeout ' . ($h{'grpc-timeout'} // 'none'));
        $h2->write(headers($f->{stream}, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc') . data($f->{stream}, "\0\0\0\0\1x")) if $h{':path'} =~ /begun|quick/;
        $h2->write(headers($f->{stream}, 'END_HEADERS END_STREAM', 'grpc-status' => 0)) if $h{':path'} =~ /quick/;
    }
});
$w->conf("server { http2 on; location / { grpc_pass $peer; } }", workers => 1);
my $c   = Weir::Http2::client($w);
my $ask = sub ($path, $timeout) {
    my $began = time;
    my $is = $c->ask(':method' => 'POST', ':path' => $path, 'content-type' => 'application/grpc', te => 'trailers', 'grpc-timeout' => $timeout, body => "\0\0\0\0\0");
    return ($is, { $c->head->%*, $c->trailers->%* }->{'grpc-status'}, time - $began);
};
for my $timeout ('150m', '150000u', '150000000n') {
    next if length $timeout > 9;
    my ($is, $status, $took) = $ask->('/silent', $timeout);
    is "$is $status", '200 4', "$timeout: DEADLINE_EXCEEDED";
    cmp_ok $took, '>=', 0.14, 'not before';
}
my ($is, $status) = $ask->('/begun', '150m');
is "$is $status", '200 4', 'within an answer: as its trailers';
is length $c->body, 6, 'behind what came of it';
$w->wait_until('three resets', sub { 3 == grep { $_ eq 'reset CANCEL' } $peer->notes });
pass 'the peer is told each time';
ok scalar(grep { /^timeout \d+[mun]$/ } $peer->notes), 'the peer knows the deadline';
# What is no deadline is none.
for my $odd ('', 'abc', '10', '10x', '-1S', '123456789S', '1.5S', '99999999H') {
    my ($is, $status) = $ask->('/quick', $odd);
    is "$is $status", '200 0', "'$odd' ends no call";
}
$c->close;

done_testing;
