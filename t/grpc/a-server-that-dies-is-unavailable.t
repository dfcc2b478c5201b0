# A stream that is cut in its middle ends in trailers that say UNAVAILABLE; what came before is delivered.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('a server that dies is UNAVAILABLE');
my %ends = (reset => sub ($h2, $s) { $h2->write(rst($s, 'INTERNAL_ERROR')); 0 }, close => sub ($h2, $s) { 1 },
    goaway => sub ($h2, $s) { $h2->write(goaway(0, 'INTERNAL_ERROR')); 1 }, protocol => sub ($h2, $s) { $h2->write(data(0, 'x')); 0 });
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $r = $h2->next_request) {
        my ($how) = $r->{fields}{':path'} =~ m{^/(\w+)};
        $h2->write(headers($r->{stream}, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc', 'x-initial' => 1) . data($r->{stream}, "\0\0\0\0\5hello"));
        $c->wait_for($how);
        return if $ends{$how}->($h2, $r->{stream});
    }
});
$w->conf("server { http2 on; location / { grpc_pass $peer; } }", workers => 1);
for my $how (sort keys %ends) {
    my $c = Weir::Http2::client($w);
    $c->request(1, ':method' => 'POST', ':path' => "/$how", 'content-type' => 'application/grpc', te => 'trailers', open => 1);
    my $f = $c->next_frame;
    is $f->{type}, 'HEADERS', "$how: the head comes at once";
    $f = $c->next_frame;
    is $f->{payload}, "\0\0\0\0\5hello", 'and the first message';
    $w->pass($how);
    $f = $c->next_frame;
    is $f->{type} . ' ' . ($f->{flags} & 1), 'HEADERS 1', 'then trailers end it';
    my %t = map { @$_ } $f->{fields}->@*;
    is $t{'grpc-status'}, 14, 'UNAVAILABLE';
    $c->close;
}

done_testing;
