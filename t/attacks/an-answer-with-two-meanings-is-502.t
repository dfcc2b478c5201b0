# Upstreams are as untrusted as clients; a connection with such an answer is never used again.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('an answer with two meanings is 502');

my $ok   = "Content-Length: 2\r\n\r\nok";
my %cases = (
    'two lengths, different'   => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n$ok",
    'two lengths, apart'       => "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\n$ok",
    'two lengths, the same'    => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\nContent-Length: 2\r\n\r\nok",
    'a list of lengths'        => "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
    'length +2'                => "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
    'length -2'                => "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    'length 0x2'               => "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok",
    'length 2^64+2'            => "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nok",
    'length empty'             => "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok",
    'length and coding'        => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    'coding in 1.0'            => "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    'unknown coding'           => "HTTP/1.1 200 OK\r\nTransfer-Encoding: cow\r\n\r\nok",
    'chunked twice'            => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    'two codings'              => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    'folded'                   => "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n$ok",
    'no colon'                 => "HTTP/1.1 200 OK\r\nnonsense\r\n$ok",
    'space before the colon'   => "HTTP/1.1 200 OK\r\nX : y\r\n$ok",
    'empty name'               => "HTTP/1.1 200 OK\r\n: y\r\n$ok",
    'name with a space'        => "HTTP/1.1 200 OK\r\nX Y: y\r\n$ok",
    'NUL in a value'           => "HTTP/1.1 200 OK\r\nX: a\x00b\r\n$ok",
    'control in a value'       => "HTTP/1.1 200 OK\r\nX: a\x01b\r\n$ok",
    'bare CR in a value'       => "HTTP/1.1 200 OK\r\nX: a\rY: b\r\n$ok",
    'bare LF'                  => "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    'bare LF after a header'   => "HTTP/1.1 200 OK\r\nX: y\n$ok",
    'status 99'                => "HTTP/1.1 99 OK\r\n$ok",
    'status 099'               => "HTTP/1.1 099 OK\r\n$ok",
    'status 000'               => "HTTP/1.1 000 OK\r\n$ok",
    'status 600'               => "HTTP/1.1 600 OK\r\n$ok",
    'status 1000'              => "HTTP/1.1 1000 OK\r\n$ok",
    'status 20'                => "HTTP/1.1 20 OK\r\n$ok",
    'status 2x0'               => "HTTP/1.1 2x0 OK\r\n$ok",
    'status +200'              => "HTTP/1.1 +200 OK\r\n$ok",
    'no status'                => "HTTP/1.1 OK\r\n$ok",
    'two spaces'               => "HTTP/1.1  200 OK\r\n$ok",
    'space first'              => " HTTP/1.1 200 OK\r\n$ok",
    'version 2.0'              => "HTTP/2.0 200 OK\r\n$ok",
    'version 0.9'              => "HTTP/0.9 200 OK\r\n$ok",
    'lower-case version'       => "http/1.1 200 OK\r\n$ok",
    'control in the reason'    => "HTTP/1.1 200 O\x01K\r\n$ok",
    'NUL in the reason'        => "HTTP/1.1 200 O\x00K\r\n$ok",
    'HTTP/0.9 body'            => "<html>ok</html>",
    'garbage'                  => "\x16\x03\x01\x02\x00garbage\r\n\r\n",
    'SSH'                      => "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    'empty line first'         => "\r\nHTTP/1.1 200 OK\r\n$ok",
    '101 nobody asked for'     => "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    '100 x 20'                 => "HTTP/1.1 100 Continue\r\n\r\n" x 20 . "HTTP/1.1 200 OK\r\n$ok",
    '103 x 10,000'             => "HTTP/1.1 103 Early Hints\r\n\r\n" x 10_000 . "HTTP/1.1 200 OK\r\n$ok",
    '1 MiB header'             => "HTTP/1.1 200 OK\r\nX: " . ('x' x 1_048_576) . "\r\n$ok",
    '10,000 Set-Cookie'        => "HTTP/1.1 200 OK\r\n" . ("Set-Cookie: a=b\r\n" x 10_000) . $ok,
    'a head that never ends'   => "HTTP/1.1 200 OK\r\n" . ("X: y\r\n" x 200_000),
);
my @names = sort keys %cases;
my $bad   = $w->peer(sub ($c) {
    while (my $request = $c->read_request) {
        my ($n, $cut) = $request->target =~ m{(\d+)(/cut)?};
        my $bytes = $cases{ $names[$n] };
        if ($cut) { $c->raw($_) for split //, $bytes }
        else      { $c->raw($bytes) }
        $c->half_close if $bytes !~ /\r\n\r\n/;
    }
});
my $good = $w->origin(sub ($c) { $c->reply(200, 'good') });
$w->conf(<<"END", workers => 1);
    upstream bad { server $bad; keepalive 8; }
    proxy_read_timeout 2s;
    server {
        location / { proxy_pass http://bad; proxy_next_upstream off; }
        location /good { proxy_pass http://$good; }
    }
END

for my $n (0 .. $#names) {
    for my $way (length $cases{ $names[$n] } < 1000 ? ('', '/cut') : ('')) {
        my $client = $w->client;
        my $answer = eval { $client->get("/$n$way") };
        is $answer ? $answer->status : $@, 502, "$names[$n]$way";
        is eval { $client->get('/good')->body }, 'good', "$names[$n]$way: the client's connection goes on"
            if $answer && $answer->is_kept;
        $client->close;
    }
}
is scalar(grep { /^GET.*GET/s } $bad->journal), 0, 'no connection with such an answer was used again';
cmp_ok $w->memory, '<', 60_000, 'the memory stays small' unless $w->is_sanitized;

done_testing;
