# Good and bad messages, cut in two at every byte.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a request split at any byte reads the same');
my $origin = $w->echo_origin;
$w->conf("upstream o { server $origin; keepalive 4; } server { location / { proxy_pass http://o; } }", workers => 1);

my %messages = (
    'plain'        => [ 200, "GET /a?b HTTP/1.1\r\nHost: localhost\r\n\r\n" ],
    'length'       => [ 200, "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello" ],
    'chunked'      => [ 200, "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;x=\"y\"\r\nwiki\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n" ],
    'empty line'   => [ 200, "\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n" ],
    'bare LF'      => [ 400, "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n" ],
    'both'         => [ 400,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" ],
    'bad chunk'    => [ 400,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n" ],
    'two hosts'    => [ 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" ],
);
for my $name (sort keys %messages) {
    my ($status, $bytes) = $messages{$name}->@*;
    my %seen;
    for my $at (1 .. length($bytes) - 1) {
        my $client = $w->client;
        my $answer = eval { $client->send_split($bytes, $at)->read_response };
        $client->close;
        my $what = !$answer ? "none: $@" : $answer->status == 200 ? $w->seen($answer)->head =~ s/^(?:Connection|X-\S+): .*\r\n//gmr . '|' . $w->seen($answer)->body : $answer->status;
        push $seen{$what}->@*, $at;
    }
    is scalar keys %seen, 1, "$name: one result, wherever it is cut" or diag explain \%seen;
    my ($what) = keys %seen;
    $status == 200 ? like $what, qr{ HTTP/1\.1}, "$name: answered" : is $what, $status, "$name: $status";
}

done_testing;
