# A tunnel only after a 101 that answers an upgrade; early bytes never reach the peer as a request.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a hostile WebSocket handshake opens no tunnel');
my $peer = $w->peer(sub ($c) {
    while (my $request = $c->read_request) {
        my $bytes = { '/200' => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
            '/400' => "HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno",
            '/bare' => "HTTP/1.1 101 Switching Protocols\r\n\r\n", '/other' => "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: cow\r\n\r\n" }->{ $request->target };
        $bytes //= "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";
        $c->raw($bytes);
        if ($bytes =~ / 101 /) { while ($c->fill) { $c->raw(uc $c->take(length $c->buffered)) } return }
    }
});
$w->allow_bad;
$w->conf("server { location / { proxy_pass http://$peer; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; } location /plain { proxy_pass http://$peer; } }");

my $upgrade = sub ($path, %with) {
    my %fields = (Connection => 'Upgrade', Upgrade => 'websocket', 'Sec-WebSocket-Version' => 13,
        'Sec-WebSocket-Key' => 'dGhlIHNhbXBsZSBub25jZQ==', %with);
    my $method = delete $fields{method} // 'GET';
    my $version = delete $fields{version} // '1.1';
    my $body = delete $fields{body} // '';
    return "$method $path HTTP/$version\r\nHost: localhost\r\n"
        . join('', map { defined $fields{$_} ? "$_: $fields{$_}\r\n" : () } sort keys %fields) . "\r\n$body";
};
my $client = $w->client;
my $answer = $client->send($upgrade->('/good'))->read_response;
is $answer->status, 101, 'a good one is tunnelled';
is $client->send('hello')->take(5), 'HELLO', 'both ways';
$client->close;

my %cases = (
    'version 8'            => [ 426, $upgrade->('/', 'Sec-WebSocket-Version' => 8) ],
    'no version'           => [ qr/^4(?:26|00)$/, $upgrade->('/', 'Sec-WebSocket-Version' => undef) ],
    'bad key'              => [ 400, $upgrade->('/', 'Sec-WebSocket-Key' => 'short') ],
    'no key'               => [ 400, $upgrade->('/', 'Sec-WebSocket-Key' => undef) ],
    'with a body'          => [ 400, $upgrade->('/', 'Content-Length' => 5, body => 'hello') ],
    'POST'                 => [ qr/^4\d\d$/, $upgrade->('/', method => 'POST', 'Content-Length' => 0) ],
);
for my $name (sort keys %cases) {
    my $got = eval { $w->client->send($cases{$name}[1])->read_response };
    my $want = $cases{$name}[0];
    my $status = $got ? $got->status : $@;
    ref $want ? like($status, $want, "$name: $want") : is($status, $want, "$name: $want");
}
# The peer does not switch: what the client sends early is neither tunnelled nor a request before its turn.
for my $path ('/200', '/400') {
    my $client = $w->client;
    my $early  = "GET /early HTTP/1.1\r\nHost: localhost\r\n\r\n";
    my @answers = eval { $client->send($upgrade->($path) . "\x81\x05hello")->read_responses };
    isnt $answers[0] && $answers[0]->status, 101, "$path: no 101";
    $client->close;
}
for my $path ('/bare', '/other', '/plain') {
    my $got = eval { $w->client->send($upgrade->($path))->read_response };
    is $got ? $got->status : $@, 502, "$path: a 101 that does not match is 502";
}
is_deeply [ grep { m{/early} } $peer->lines ], [], 'nothing early became a request';

done_testing;
