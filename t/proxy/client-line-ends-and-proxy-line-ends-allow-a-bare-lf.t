# client_line_ends and proxy_line_ends: for those who have such peers.  A head ends its lines in one way; what goes on has CRLF; chunks always have it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('client line ends and proxy line ends allow a bare lf')->needs_weir;
my %says = (
    lf      => "HTTP/1.1 200 OK\nContent-Length: 2\nX-Mine: 1\n\nok",
    hint    => "HTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    close   => "HTTP/1.0 200 OK\n\nok",
    crlf    => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    mixed   => "HTTP/1.1 200 OK\r\nContent-Length: 2\nX: y\r\n\r\nok",
    mixed2  => "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok",
    fold    => "HTTP/1.1 200 OK\nX: a\n b\nContent-Length: 2\n\nok",
    chunked => "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\r\nok\r\n0\r\n\r\n",
    chunks  => "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n",
);
my $peer = $w->peer(sub ($c) {
    while (my $r = $c->read_request) {
        my ($what) = $r->target =~ m{(\w+)$};
        $c->raw($says{$what});
        return if $what eq 'close';
    }
});
my $echo = $w->echo_origin;
$w->conf(<<"END");
    server {
        listen 127.0.0.1:%%PORT%%; client_line_ends lf;
        location / { proxy_pass http://$echo; }
        location /up { proxy_pass http://$peer; proxy_line_ends lf; }
    }
    server { listen 127.0.0.1:%%PORT_strict%%; location / { proxy_pass http://$echo; } location /up { proxy_pass http://$peer; } }
END
$w->allow_log(qr/./);
$w->allow_bad;

# to us
my $ask = sub ($text, %arg) { scalar eval { $w->client(%arg)->send($text)->read_response } };
my $seen = $w->seen($ask->("POST /a HTTP/1.1\nHost: x\nX-Mine: 1\nContent-Length: 5\n\nhello"));
is $seen->method, 'POST', 'a head in LF';
is $seen->header('X-Mine'), 1, 'its fields';
is $seen->body, 'hello', 'its body';
is $w->seen($ask->("POST /a HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n5\r\nhello\r\n0\r\n\r\n"))->body, 'hello', 'chunks in CRLF';
is $w->client->get('/a')->status, 200, 'a head in CRLF is as before';
my @two = $w->client->send("GET /one HTTP/1.1\nHost: x\n\nGET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")->read_responses;
is_deeply [ map { $w->seen($_)->target } @two ], [ '/one', '/two' ], 'each request in its own way';
for my $bad (
    [ 'LF, then CRLF',       "GET /a HTTP/1.1\nHost: x\r\n\r\n" ],
    [ 'CRLF, then LF',       "GET /a HTTP/1.1\r\nHost: x\n\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n" ],
    [ 'an end in CRLF',      "GET /a HTTP/1.1\nHost: x\n\r\nGET /smuggled HTTP/1.1\nHost: x\n\n" ],
    [ 'a CR in a value',     "GET /a HTTP/1.1\nHost: x\nX: a\rTransfer-Encoding: chunked\n\n" ],
    [ 'a fold',              "GET /a HTTP/1.1\nHost: x\nX: a\n b\n\n" ],
    [ 'two lengths',         "POST /a HTTP/1.1\nHost: x\nContent-Length: 1\nContent-Length: 5\n\nhello" ],
    [ 'chunks in LF',        "POST /a HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n" ],
) {
    is $ask->($bad->[1])->status, 400, "$bad->[0]: 400";
}
is $ask->("GET /a HTTP/1.1\nHost: x\n\n", port => $w->port('strict'))->status, 400, 'elsewhere it is refused';
is_deeply [ grep { /smuggled/ } $echo->lines ], [], 'nothing went by';

# from peers
for my $what (sort keys %says) {
    my $bad = $what =~ /mixed|fold|chunks/;
    my $answer = $ask->("GET /up/$what HTTP/1.1\r\nHost: x\r\n\r\n");
    is $answer ? $answer->status : 'cut', $what eq 'chunks' ? 'cut' : $bad ? 502 : 200, "from a peer: $what";
    next if $bad;
    is $answer->body, 'ok', 'its body';
    is $answer->header('X-Mine'), 1, 'its fields' if $what eq 'lf';
    is +($answer->interim)[0]->header('Link'), 'x', 'its hint' if $what eq 'hint';
}
is $ask->("GET /up/lf HTTP/1.1\r\nHost: x\r\n\r\n", port => $w->port('strict'))->status, 502, 'elsewhere it is refused';

done_testing;
