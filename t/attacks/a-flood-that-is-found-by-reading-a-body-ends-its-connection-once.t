# A client that reads nothing lets the answers to its PINGs gather up to their bound; the WINDOW_UPDATE that its body brings is one too many.
# That guard is met inside a request's own call: the connection ends behind it, not under it.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $PINGS = 3855;                             # whose answers are 65,535 bytes: one more frame is beyond the bound
my $EARN  = 10;                               # PINGs that a whole request pays for
my $w     = Weir::Test->new('a flood that is found by reading a body ends its connection once');
my $big   = $w->origin(sub { shift->reply(200, 'x' x 10_000_000) });
my $up    = $w->peer(sub ($c) { $c->read_head; $c->note('upload'); eval { $c->take(1 << 30) } });
$w->conf(<<"END", workers => 1);
    client_max_body_size 0; proxy_max_temp_file_size 0;
    log_format judged '\$uri \$weir_cause'; access_log logs/judged.log judged;
    server { http2 on; location = /none { return 204; } location /big { proxy_pass http://$big; }
             location /streamed { proxy_pass http://$up; proxy_request_buffering off; } location /stored { proxy_pass http://$up; } }
END

# Bytes that the kernel holds for the client at this port.
sub waiting ($port) {
    open my $in, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!\n";
    my $hex = sprintf ':%04X', $port;
    for (<$in>) {
        my (undef, undef, $remote, $state, $queues) = split;
        return hex $queues =~ s/:.*//r if $remote =~ /$hex$/ && $state eq '01';      # (others had this port before)
    }
    return 0;
}

for my $path ('/streamed', '/stored') {
    my $c  = Weir::Http2::client($w, rcvbuf => 4096, settings => [ 4 => 0x7fffffff ]);
    my $id = 1;
    $c->write(window(0, 0x7fffffff - 65535));
    $c->request($id, ':path' => '/big');
    $c->next_frame;                           # the answer has begun; from here on the client reads nothing
    my ($port, $queued, $still) = ($c->fh->sockport, -1, 0);
    $w->wait_until('nothing more goes out', sub { my $n = waiting($port); $still = $n && $n == $queued ? $still + 1 : 0; $queued = $n; $still > 8 });
    $c->request($id += 2, ':path' => $path, ':method' => 'POST', open => 1);
    my $upload = $id;
    for (my $n = 0; $n < $PINGS; $n += $EARN) {
        $c->request($id += 2, ':path' => '/none') if $n > 900;
        $c->write(ping() x ($PINGS - $n < $EARN ? $PINGS - $n : $EARN));
    }
    $c->write(data($upload, 'y' x 16384)) for 1 .. 4;
    $w->wait_for_access(qr{^\Q$path\E client\.h2\.flood$}m, 'judged.log');
    pass "$path: the upload says that the connection was a flood";
    $c->close;
    is $w->get('/none')->status, 204, "$path: the worker serves on";
}

done_testing;
