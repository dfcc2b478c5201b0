# Several answers wait for one window of the connection: the one that takes its last byte leaves the others waiting.  They say nothing then: a DATA
# frame of no bytes that ends nothing is what floods are made of, and peers count them.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('no empty DATA is sent when the connection\'s window is used up');
$w->write_file('big', 'x' x 200_000);
$w->conf("server { http2 on; root %%DIR%%; }", workers => 1);

my $c = Weir::Http2::client($w, settings => [ 4, 1_000_000 ]);
$c->send(join '', map { headers($_, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/big')) } 1, 3, 5, 7);
my ($bytes, @empty) = (0);
my $until = sub ($limit) {
    while ($bytes < $limit and my $f = $c->next_frame) {
        next unless $f->{type} eq 'DATA';
        $bytes += length $f->{payload};
        push @empty, $f->{stream} if $f->{payload} eq '';
    }
    $c->send(ping('are they'));
    while (my $f = $c->next_frame) {
        last if $f->{type} eq 'PING';
        push @empty, $f->{stream} if $f->{type} eq 'DATA' && $f->{payload} eq '';
    }
};
$until->(65535);
is $bytes, 65535, 'four answers take the window of the connection';
for my $n (1 .. 3) {
    $c->send(window(0, 1000));
    $until->(65535 + 1000 * $n);
}
is $bytes, 68535, 'and what it opens by';
is "@empty", '', 'no frame of them is empty';

done_testing;
