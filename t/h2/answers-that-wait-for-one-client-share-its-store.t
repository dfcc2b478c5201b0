# A client of HTTP/2 may ask for many large answers and read none: all that is stored for it is what one answer may store.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $SIZE = 3_000_000;
my $w    = Weir::Test->new('answers that wait for one client share its store');
my $big  = $w->origin(sub ($c) { $c->reply(200, 'x' x $SIZE) });
$w->conf("proxy_max_temp_file_size 1m; server { http2 on; location / { proxy_pass http://$big; } }", workers => 1);

# Bytes in the worker's unnamed files.
sub stored () {
    my $sum = 0;
    for my $fd (map { glob "/proc/$_/fd/*" } $w->workers) { $sum += -s $fd // 0 if (readlink($fd) // '') =~ /proxy_temp.*deleted/ }
    return $sum;
}

my $c = Weir::Http2::client($w, settings => [ 4 => 8000 ]);      # of each it takes a little
my @ids = map { 2 * $_ + 1 } 0 .. 7;
$c->request($_) for @ids;
$big->wait_requests(scalar @ids);
my ($before, $still) = (-1, 0);
$w->wait_until('nothing more is stored', sub { my $n = stored(); $still = $n && $n == $before ? $still + 1 : 0; $before = $n; $still > 50 });
cmp_ok $before, '>', 500_000, 'much of an answer is stored';
cmp_ok $before, '<=', 1_100_000, 'and not much of each';

my %got;
$c->write(settings(4 => 0x7fffffff) . window(0, 0x7fffffff - 65535));
while (my $f = $c->next_frame) {
    $got{ $f->{stream} } += length $f->{payload} if $f->{type} eq 'DATA';
    last if @ids == grep { ($got{$_} // 0) >= $SIZE } @ids;
}
is_deeply [ map { $got{$_} } @ids ], [ ($SIZE) x @ids ], 'when it reads, each arrives whole';

done_testing;
