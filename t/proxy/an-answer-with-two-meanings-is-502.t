use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('an answer with two meanings is 502');
my @cases = (
    [ 'two lengths'           => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nevil!" ],
    [ 'a list of lengths'     => "HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nevil!" ],
    [ 'length and coding'     => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n" ],
    [ 'two codings'           => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" ],
    [ 'another coding'        => "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" ],
    [ 'xchunked'              => "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" ],
    [ 'coding in 1.0'         => "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" ],
    [ 'length +4'             => "HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nevil" ],
    [ 'length -1'             => "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nevil" ],
    [ 'length 2^64'           => "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\nevil" ],
    [ 'a space before colon'  => "HTTP/1.1 200 OK\r\nContent-Length : 4\r\n\r\nevil" ],
    [ 'a folded line'         => "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'bare LF'               => "HTTP/1.1 200 OK\nContent-Length: 4\n\nevil" ],
    [ 'one bare LF'           => "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 4\r\n\r\nevil" ],
    [ 'bare CR'               => "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'NUL'                   => "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'a control'             => "HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'no name'               => "HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'no colon'              => "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'status 99'             => "HTTP/1.1 99 OK\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'status 099'            => "HTTP/1.1 099 OK\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'status 1000'           => "HTTP/1.1 1000 OK\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'status 2x0'            => "HTTP/1.1 2x0 OK\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'no status'             => "HTTP/1.1\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'HTTP/2.0'              => "HTTP/2.0 200 OK\r\nContent-Length: 4\r\n\r\nevil" ],
    [ 'HTTP/0.9'              => "<html>evil</html>" ],
    [ 'garbage'               => "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n" ],
    [ 'an interim with a length' => "HTTP/1.1 103 Early Hints\r\nContent-Length: 4\r\n\r\nevilHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" ],
    [ '101 unasked'           => "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nevil" ],
    [ 'a head of 1 MiB'       => "HTTP/1.1 200 OK\r\nX: " . 'x' x 1_048_576 . "\r\n\r\nevil" ],
    [ '10,000 fields'         => "HTTP/1.1 200 OK\r\n" . "Set-Cookie: a=b\r\n" x 10_000 . "\r\nevil" ],
    [ 'a head cut'            => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n" ],
    [ 'nothing'               => '' ],
);
my $origin = $w->origin(sub ($c) {
    my ($n) = $c->request->target =~ m{/(\d+)};
    return $c->reply(200, 'good') unless defined $n;
    $c->raw($cases[$n][1]);
    $c->close if $cases[$n][0] =~ /cut|nothing|0\.9/;
    return if !$c->is_open;
    $c->take_all;
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    log_format causes '\$request_uri \$status \$weir_cause';
    access_log logs/causes.log causes;
    server { location / { proxy_pass http://api; } }
END

my $client = $w->client;
for my $n (0 .. $#cases) {
    my $answer = $client->get("/$n");
    is $answer->status, 502, "$cases[$n][0]: 502";
    unlike $answer->body, qr/evil/, "$cases[$n][0]: and nothing of it reaches the client";
    like $w->wait_for_access(qr{^/$n (.*)}m, 'causes.log'), qr/^502 upstream\./, "$cases[$n][0]: with its cause";
}
is $client->get('/')->body, 'good', 'our client was kept through all of it';

done_testing;
