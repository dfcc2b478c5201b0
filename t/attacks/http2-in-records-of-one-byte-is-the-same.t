# What is right, and what is wrong, does not depend on how TLS cuts it.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Pki;
use Weir::Test;

my $w      = Weir::Test->new('HTTP/2 in records of one byte is the same');
my $site   = Weir::Pki->authority($w, 'root')->server('localhost');
my $origin = $w->echo_origin;
$w->conf("server { listen 127.0.0.1:%%PORT%% ssl; @{[ $site->conf ]} http2 on; location / { proxy_pass http://$origin; } }", workers => 1);
for my $record (1, 2, 9, 10, 100) {
    my $c = Weir::Http2::over_tls($w, name => 'localhost', record => $record);
    is $c->ask(':method' => 'POST', ':path' => '/a', body => 'b' x 300), '200', "records of $record: a request";
    like $c->body, qr/"b{300}"/, 'with its body';
    $c->write(headers(3001, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/b', connection => 'close')));
    is $c->verdict(3001), 'rst PROTOCOL_ERROR', 'a malformed one';
    $c->write(frame('SETTINGS', '', 0, 'x' x 5));
    is $c->verdict(3003, waits => 1), 'goaway FRAME_SIZE_ERROR', 'a frame of a wrong size';
    $c->close;
}

done_testing;
