# Bad chunks, short bodies, an RST: the client must be able to tell that something is missing.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a body that breaks the framing is never ended well');

my $chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
my %cases = (
    'size 0x5'            => "${chunked}0x5\r\nhello\r\n0\r\n\r\n",
    'size with a space'   => "${chunked}5 \r\nhello\r\n0\r\n\r\n",
    'size empty'          => "${chunked}\r\nhello\r\n0\r\n\r\n",
    'size 2^64+5'         => "${chunked}10000000000000005\r\nhello\r\n0\r\n\r\n",
    'LF after the size'   => "${chunked}5\nhello\r\n0\r\n\r\n",
    'LF after the data'   => "${chunked}5\r\nhello\n0\r\n\r\n",
    'size smaller'        => "${chunked}4\r\nhello\r\n0\r\n\r\n",
    'second size bad'     => "${chunked}5\r\nhello\r\nx\r\nhello\r\n0\r\n\r\n",
    'bad trailer'         => "${chunked}5\r\nhello\r\n0\r\nnonsense\r\n\r\n",
    'extension with LF'   => "${chunked}5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
    'no last chunk'       => "${chunked}5\r\nhello\r\n",
    'no final CRLF'       => "${chunked}5\r\nhello\r\n0\r\n",
    'shorter than length' => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
    'nothing of a length' => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
);
my @names = sort keys %cases;
my $bad   = $w->peer(sub ($c) {
    my ($n, $how) = $c->read_request->target =~ m{(\d+)/(\w+)};
    $c->raw($cases{ $names[$n] });
    $c->$how;
});
$w->conf("proxy_read_timeout 2s; proxy_next_upstream off; server { location / { proxy_pass http://$bad; } location /off/ { proxy_buffering off; proxy_pass http://$bad; } }");

for my $n (0 .. $#names) {
    for my $path ("/$n/close", "/$n/reset", "/off/$n/close") {
        my $client = $w->client;
        my $answer = eval { $client->send_request('GET', $path)->read_response };
        ok !$answer || $answer->status == 502, "$names[$n] $path: 502, or cut so that it shows" or diag explain $answer;
        ok !$answer || $answer->body !~ /hello/, "$names[$n] $path: and nothing taken for an answer";
        ok $answer || $@ =~ /^eof/, "$names[$n] $path: the connection ends" or diag $@;
        $client->close;

        # A client of 1.0 has nothing but the end of the connection to go by: it must be a reset, or Content-Length tells.
    }
}

done_testing;
