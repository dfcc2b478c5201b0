use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('trailers of the peer reach a client that asked');
my $origin = $w->origin(sub ($c) {
    $c->reply_chunked(200, ['body'], trailers => [ 'Server-Timing', 'a;dur=1', 'X-Checksum', 'abc', 'Content-Length', '99', 'Transfer-Encoding', 'chunked',
        'Set-Cookie', 'evil=1', 'Host', 'evil', 'Authorization', 'x' ]);
});
$w->conf("upstream api { server $origin; keepalive 4; } server { location / { proxy_pass http://api; } }", workers => 1);

my $client = $w->client;
my $answer = $client->get('/', 'TE' => 'trailers');
is $answer->body, 'body', 'the body';
my %got = map { lc $_->[0] => $_->[1] } $answer->{trailers}->@*;
ok exists $got{'server-timing'} || exists $got{'x-checksum'} || keys %got == 0, 'trailers: ' . join ' ', sort keys %got;
ok !exists $got{$_}, "never $_" for qw(content-length transfer-encoding set-cookie host authorization);
is_deeply $client->get('/')->{trailers}, [], 'a client that did not ask gets none';
is $origin->connections, 1, 'the connection to the peer is kept';

done_testing;
