# Windows of a worker's streams grow by 64 MiB in all.  Where nothing may come before it is wanted (http2_body_preread_size 0), what is wanted
# comes even when others have grown by all of that.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('a body that is wanted comes however other windows grew');
my $sink = $w->origin(sub ($c) { $c->reply(200, length $c->request->body) });
$w->conf(<<"END", workers => 1);
    client_max_body_size 0; proxy_request_buffering off;
    server { http2 on; location / { proxy_pass http://$sink; } }
    server { listen 127.0.0.1:%%PORT_none%%; http2 on; http2_body_preread_size 0; location / { proxy_pass http://$sink; } }
END

my %sent;

# What the windows allow, up to so many bytes, then a round trip.
my $send = sub ($h2, $stream, $size) {
    my $room = ($h2->{peer}{4} // 65535) + ($h2->{windows}{$stream} // 0) - ($sent{$h2}{$stream} // 0);
    my $left = $size = $room < $size ? $room : $size;
    while ($left > 0) {
        my $n = $left < 16384 ? $left : 16384;
        $h2->write(data($stream, 'd' x $n));
        $left -= $n;
    }
    $sent{$h2}{$stream} += $size;
    $h2->write(ping('roundtri'));
    while (my $f = $h2->next_frame) { last if $f->{type} eq 'PING' && $f->{flags} & 1 }
};
my $many = Weir::Http2::client($w);
my @streams = map { 2 * $_ + 1 } 0 .. 19;
for my $stream (@streams) {
    $many->request($stream, ':method' => 'POST', open => 1);
    for (1 .. 200) {
        last if ($many->{windows}{$stream} // 0) > 4_000_000;
        $send->($many, $stream, 40_000);
    }
}
my $sum = 0;
$sum += ($many->{windows}{$_} // 0) - $sent{$many}{$_} for @streams;
cmp_ok $sum, '>', 60 * 1024 * 1024, 'windows have grown';

my $none = Weir::Http2::client($w, port => $w->port('none'));
$none->request(1, ':method' => 'POST', open => 1);
$w->wait_until('what is wanted may come', sub { $send->($none, 1, 0); ($none->{windows}{1} // 0) >= 20_000 });
$none->write(data(1, 'd' x 10_000) . data(1, 'd' x 10_000, 'END_STREAM'));    # no round trip: the answer may come before its end
is $none->verdict(1, waits => 1), '200', 'the upload is served';
is $none->body, 20_000, 'with all of its body';
$many->close;
done_testing;
