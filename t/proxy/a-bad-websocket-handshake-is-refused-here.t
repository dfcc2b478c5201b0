use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a bad websocket handshake is refused here');
my $origin = $w->echo_origin;
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    lingering_timeout 100ms;
    log_format causes '\$status \$weir_cause';
    access_log logs/causes.log causes;
    server { location / { proxy_pass http://api; proxy_set_header Upgrade \$http_upgrade; } }
END

my %good = (line => 'GET / HTTP/1.1', Connection => 'Upgrade', Upgrade => 'websocket', 'Sec-WebSocket-Version' => 13,
    'Sec-WebSocket-Key' => 'dGhlIHNhbXBsZSBub25jZQ==');
my $ask = sub (%change) {
    my %fields = (%good, %change);
    my $line = delete $fields{line};
    my $body = delete $fields{body} // '';
    my $text = join '', "$line\r\nHost: x\r\n",
        map({ defined $fields{$_} ? "$_: $fields{$_}\r\n" : () } sort keys %fields), "\r\n$body";
    return $w->client->send($text)->read_response;
};

for my $version (undef, 8, 12, 14, '', 'x', '13, 8') {
    my $answer = $ask->('Sec-WebSocket-Version' => $version);
    is $answer->status, 426, 'version ' . ($version // 'missing') . ': 426';
    is $answer->header('Sec-WebSocket-Version'), 13, 'says which one is served';
}
is $ask->('Sec-WebSocket-Key' => $_)->status, 400, 'key ' . ($_ // 'missing') for undef, '', 'short==', 'x' x 24,
    'x' x 100 . '==';
is $ask->(line => 'POST / HTTP/1.1', 'Content-Length' => 0)->status, 400, 'POST';
is $ask->('Content-Length' => 5, body => 'hello')->status, 400, 'with a body';
is $ask->('Transfer-Encoding' => 'chunked', body => "0\r\n\r\n")->status, 400, 'with a chunked body';
is $origin->requests, 0, 'nothing of it reached the peer';
unlike $w->access_log('causes.log'), qr/^4\d\d -$/m, 'all had a cause';

for my $case ([ 'without Connection', Connection => undef ], [ 'h2c', Upgrade => 'h2c' ],
    [ 'an unknown token', Upgrade => 'chat' ],
[ 'TLS', Upgrade => 'TLS/1.0' ],
    [ 'in 1.0', line => 'GET / HTTP/1.0' ]) {
    my ($what, %change) = @$case;
    my $seen = $w->seen($ask->(%change));
    my $upgrade = $seen->header('Upgrade');
    ok !defined $upgrade || $what eq 'an unknown token', "$what: an ordinary request" or diag $upgrade;
}

done_testing;
