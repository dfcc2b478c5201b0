# A sender far away waits a round trip for each window: the window grows while what comes is taken at once, from clients and from peers.  What nobody
# takes does not grow it.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $SIZE = 5_000_000;

# Sends a body as its windows allow, and waits a round trip whenever they are used up; how many.
sub send_far ($h2, $stream, $size) {
    my ($sent, $rounds) = (0, 0);
    while ($sent < $size) {
        my $room = ($h2->{peer}{4} // 65535) + ($h2->{windows}{$stream} // 0) - $sent;
        return -1 if ++$rounds > 200;
        while ($room > 0 && $sent < $size) {
            my $n = (sort { $a <=> $b } 16384, $room, $size - $sent)[0];
            $sent += $n; $room -= $n;
            $h2->write(data($stream, 'd' x $n, $sent < $size ? '' : 'END_STREAM'));
        }
        last if $sent == $size;
        $h2->write(ping(sprintf '%08d', $rounds));
        while (my $f = $h2->next_frame) { last if $f->{type} eq 'PING' && $f->{flags} & 1 }
    }
    return $rounds;
}

my $w    = Weir::Test->new('a window grows while its bytes are taken');
my $sink = $w->origin(sub ($c) { $c->reply(200, length $c->request->body) });
my $deaf = $w->peer(sub ($c) { $c->read_head; $c->note('upload'); $c->wait_for('end') });
my $far  = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $r = $h2->next_request) {
        $h2->write(headers($r->{stream}, 'END_HEADERS', ':status' => 200));
        $c->note('rounds ' . send_far($h2, $r->{stream}, $SIZE));
    }
});
$w->conf(<<"END", workers => 1);
    client_max_body_size 0;
    server {
        http2 on;
        location / { proxy_pass http://$sink; } location /streamed { proxy_pass http://$sink; proxy_request_buffering off; }
        location /deaf { proxy_pass http://$deaf; proxy_request_buffering off; } location /far { proxy_pass http://$far; proxy_http_version 2; }
    }
    server { listen 127.0.0.1:%%PORT_none%%; http2 on; http2_body_preread_size 0; location / { proxy_pass http://$sink; } }
END

for my $path ('/stored', '/streamed') {
    my $c = Weir::Http2::client($w);
    $c->request(1, ':method' => 'POST', ':path' => $path, open => 1);
    cmp_ok send_far($c, 1, $SIZE), '<=', 12, "$path: five megabytes in a few round trips";
    is $c->verdict(1, waits => 1), '200', "$path: and all of it arrived";
    is $c->body, $SIZE, "$path: byte for byte";
}

is length $w->get('/far')->body, $SIZE, 'a peer far away';
my ($rounds) = map { /^rounds (-?\d+)/ } $far->notes;
ok $rounds > 0 && $rounds <= 12, "needs a few round trips too ($rounds)";

my $c = Weir::Http2::client($w);
$c->request(1, ':method' => 'POST', ':path' => '/deaf', open => 1);
$deaf->wait_note('upload');
is send_far($c, 1, 100_000_000), -1, 'an upload that nobody takes stands still';
cmp_ok 65535 + ($c->{windows}{1} // 0), '<', 20_000_000, 'its window stays';
$w->pass('end');
$c->close;

my $none = Weir::Http2::client($w, port => $w->port('none'));
is $none->{peer}{4}, 0, 'http2_body_preread_size 0: nothing may come before it is wanted';
$none->request(1, ':method' => 'POST', open => 1);
cmp_ok send_far($none, 1, 200_000), '>', 0, 'then it may';
is $none->verdict(1, waits => 1), '200', 'and is served';

done_testing;
