# What an HTTP/2 peer may send for a client that reads nothing is bounded by its stream's window: 64 KiB beyond what Weir stores.  Where the client reads,
# the window grows.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('an HTTP/2 peer sends 64k before any is taken');
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    $h2->{tells_windows} = 1;
    my ($sent, $size, $stream) = (0, 8_000_000, undef);
    while (my $f = $h2->next_frame) {
        $stream = $f->{stream}, $h2->write(headers($stream, 'END_HEADERS', ':status' => 200)) if $f->{type} eq 'HEADERS';
        next unless $stream;
        my $room = $h2->{peer}{4} + ($h2->{windows}{$stream} // 0);
        if (!$sent) { $c->note("first $room") }
        while ($sent < $size && $sent < $room) {
            my $n = (sort { $a <=> $b } 16384, $room - $sent, $size - $sent)[0];
            $sent += $n;
            $h2->write(data($stream, 'd' x $n, $sent == $size ? 'END_STREAM' : ''));
        }
        $c->note('grown') if $f->{type} eq 'WINDOW_UPDATE' && $f->{stream} && unpack('N', $f->{payload}) > 200_000;
    }
});
$w->conf(<<"END", workers => 1);
    proxy_http_version 2;
    server { location / { proxy_pass http://$peer; } }
END
is length $w->get('/')->body, 8_000_000, 'a client that reads gets all of it';
is +($peer->notes)[0], 'first 65536', 'the peer may send 64 KiB at first';
ok scalar(grep { $_ eq 'grown' } $peer->notes), 'the window grows while the client takes what comes';
done_testing;
