# RFC 9218: the priority a client gives, by field or by frame, says in which order answers are sent when not all fit.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w   = Weir::Test->new('urgent answers come first');
my $big = 'x' x 40_000;
$w->conf("server { http2 on; location / { return 200 $big; } }", workers => 1);

# Everything waits for the connection's window; then it opens.  What came, as runs of streams.
my $order = sub ($before, @requests) {
    my $c = Weir::Http2::client($w, settings => [ 4 => 1_000_000 ]);
    my $n = 0;
    $c->request(1);                                                # takes the window
    while ($n < 40_000) { my $f = $c->next_frame; $n += length $f->{payload} if $f->{type} eq 'DATA' }
    $c->write($before);
    my $id = 1;
    for (@requests) { $id += 2; $c->write(headers($id, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(), $_ ? (priority => $_) : ())) }
    my %heads;
    my %got;
    while (keys %heads < @requests || $n < 65_535) {
        my $f = $c->next_frame;
        $heads{ $f->{stream} } = 1 if $f->{type} eq 'HEADERS';
        if ($f->{type} eq 'DATA') { $n += length $f->{payload}; $got{ $f->{stream} } += length $f->{payload} }
    }
    $c->write(window(0, 1_000_000));
    my @runs;
    my $left = @requests;
    while ($left) {
        my $f = $c->next_frame;
        next unless $f->{type} eq 'DATA';
        push @runs, $f->{stream} unless @runs && $runs[-1] == $f->{stream};
        $left-- if $f->{flags} & 1;
    }
    $c->close;
    return \@runs;
};
my $plain = $order->('', undef, undef, undef);
is_deeply [ map { $plain->[$_] } 0 .. $#$plain ], [ sort { $a <=> $b } @$plain ], 'without a priority: one after the other, in order' or diag "@$plain";
my $urgent = $order->('', 'u=5', 'u=3', 'u=0');
is $urgent->[-1], 3, 'the least urgent comes last' or diag "@$urgent";
is $urgent->[0], 7, 'the most urgent first' or diag "@$urgent";
my $shared = $order->('', 'i', 'i', 'i');
cmp_ok scalar(@$shared), '>', 6, 'incremental ones share' or diag "@$shared";
my $by_frame = $order->(frame(16, 0, 0, pack('N', 5) . 'u=0'), 'u=1', undef, 'u=2');
is $by_frame->[0], 5, 'a frame that came before its stream is kept' or diag "@$by_frame";
my $later = $order->('', 'u=5', 'u=3', 'u=4');
is $later->[0], 5, 'the same three without it' or diag "@$later";

done_testing;
