use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('early hints and trailers reach the client');
my $origin = $w->origin(sub ($c) {
    $c->raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n");
    $c->reply_chunked(200, ['body'], trailers => [ 'Server-Timing', 'a;dur=1', 'X-Checksum', 'abc', 'Content-Length', '99', 'Set-Cookie', 'evil=1' ]);
});
$w->conf("server { http2 on; proxy_pass_trailers on; location / { proxy_pass http://$origin; } }", workers => 1);

my $c = Weir::Http2::client($w);
is $c->ask(te => 'trailers'), '200', 'an answer';
is_deeply $c->interim, [ [ [ ':status', 103 ], [ link => '</a.css>; rel=preload' ] ] ], 'before it the hint, without what is of the connection; no 100';
is $c->body, 'body', 'the body';
is $c->trailers->{'x-checksum'}, 'abc', 'and its trailers';
ok !exists $c->trailers->{$_}, "but never $_" for qw(content-length set-cookie transfer-encoding connection);
$c->close;

done_testing;
