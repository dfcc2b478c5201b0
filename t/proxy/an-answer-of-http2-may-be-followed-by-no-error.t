# RFC 9113 §8.1: a peer that has answered whole and wants no more of the request says RST_STREAM with NO_ERROR; the answer stands.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('an answer of HTTP/2 may be followed by NO_ERROR')->needs_weir;
my %says = (
    length  => sub ($s) { headers($s, 'END_HEADERS', ':status' => 200, 'content-length' => 4) . data($s, 'good', 'END_STREAM') },
    none    => sub ($s) { headers($s, 'END_HEADERS', ':status' => 200) . data($s, 'good', 'END_STREAM') },
    empty   => sub ($s) { headers($s, 'END_HEADERS END_STREAM', ':status' => 413) },
    trailed => sub ($s) { headers($s, 'END_HEADERS', ':status' => 200) . data($s, 'good') . headers($s, 'END_HEADERS END_STREAM', 'x-t' => 1) },
    short   => sub ($s) { headers($s, 'END_HEADERS', ':status' => 200, 'content-length' => 5) . data($s, 'good', 'END_STREAM') },
    long    => sub ($s) { headers($s, 'END_HEADERS', ':status' => 200, 'content-length' => 3) . data($s, 'good', 'END_STREAM') },
);
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c, settings => [ 3 => 100 ]);
    while (my $r = eval { $h2->next_request }) {
        my ($what) = $r->{fields}{':path'} =~ m{(\w+)$};
        $h2->write($says{$what}->($r->{stream}) . rst($r->{stream}, 'NO_ERROR'));
    }
});
$w->conf(<<"END", workers => 1);
    client_max_body_size 20m; proxy_http_version 2; proxy_next_upstream off;
    upstream api { server $peer; keepalive 2; }
    server { location / { proxy_pass http://api; proxy_request_buffering off; } location /whole/ { proxy_pass http://api; } }
END
$w->allow_log(qr/upstream\./);

for my $path ('/', '/whole/') {
    for my $n (10, 500_000) {
        my $sent = $path eq '/' ? $n / 2 : $n;            # the rest of a body that is passed on at once never comes
        for my $what (qw(length none empty trailed short long)) {
            my $client = $w->client;
            my $answer = eval { $client->send("POST $path$what HTTP/1.1\r\nHost: x\r\nContent-Length: $n\r\n\r\n" . 'x' x $sent)->read_response };
            my $name = "$path$what, $n bytes";
            if ($what =~ /short|long/) { is $answer, undef, "$name: an answer of another length is cut"; next }
            is $answer && $answer->status, $what eq 'empty' ? 413 : 200, "$name: its status";
            is $answer && $answer->body, $what eq 'empty' ? '' : 'good', "$name: its body";
            $client->close;
        }
    }
}

done_testing;
