# A peer may answer while it still reads (an echo, a converter): both directions go on to their ends.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an answer that begins early does not eat the upload');
my $origin = $w->origin(sub ($c) {
    if ($c->request->target eq '/stalled') {
        $c->wait_for('stalled');
    }
    $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    $c->read_body;
    my $body = $c->request->body;
    $c->raw(sprintf "%x\r\n%s\r\n0\r\n\r\n", length $body, $body);
}, body => 0);
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server { location / { proxy_pass http://api; proxy_request_buffering off; client_max_body_size 0; } }
END

for my $way (qw(length chunked)) {
    my $client = $w->client;
    my $frame = $way eq 'length' ? sub ($part) { $part } : sub ($part) { sprintf "%x\r\n%s\r\n", length $part, $part };
    $client->send("POST /$way HTTP/1.1\r\nHost: x\r\n" . ($way eq 'length' ? "Content-Length: 300000\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n"));
    my $bytes = join '', map { sprintf "%09d\n", $_ } 1 .. 30_000;
    my @parts = unpack '(a50000)*', $bytes;
    $client->send($frame->(shift @parts));
    my $head = $client->read_response_head;
    is $head->status, 200, "$way: the answer begins";
    for my $part (@parts) {
        $client->send($frame->($part));
        select undef, undef, undef, 0.005;
    }
    $client->send("0\r\n\r\n") if $way eq 'chunked';
    ok $client->read_body($head)->body eq "first$bytes", "$way: the peer had every byte of the body" or diag length $head->body;
}

# The same when all of the body is at hand before the answer's head is written.
my $client = $w->client->send("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" . "5\r\nhello\r\n" x 3 . "0\r\n\r\n");
is $client->read_response->body, 'firsthellohellohello', 'a body that came at once';

# And when the peer has not read for a while, so that body waits in Weir and in the socket from the client.
my $bytes = join '', map { sprintf "%09d\n", $_ } 1 .. 2_000_000;
$client = $w->client->send("POST /stalled HTTP/1.1\r\nHost: x\r\nContent-Length: " . length($bytes) . "\r\n\r\n");
my ($at, $still) = (0, 0);
while ($at < length $bytes && $still < 20) {
    my $n = syswrite $client->fh, $bytes, 1_000_000, $at;
    $still = $n ? 0 : $still + 1;
    $at += $n // 0;
    select undef, undef, undef, 0.005 unless $n;
}
cmp_ok $at, '<', length $bytes, 'the upload stands still';
$w->pass('stalled');
my $sender = $w->child(sub { $client->send(substr $bytes, $at) });
ok $client->read_response->body eq "first$bytes", 'a body that had to wait';
$sender->(5);

done_testing;
