# What stands between an answer and its connection composes: gRPC-Web's translation and a rate that the location or the peer sets.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64 decode_base64);
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('gRPC-Web goes with a limited rate');
my $text = join '', map { pack('CN', 0, 100) . ('m' x 100) } 1 .. 20;
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    my %limit;
    while (my $f = $h2->next_frame) {
        my $s = $f->{stream};
        if ($f->{type} eq 'HEADERS') {
            my %h = map { @$_ } $f->{fields}->@*;
            $limit{$s} = $h{':path'} =~ m{/peer/} ? 1 : 0;
        }
        next if !($f->{flags} & 1) || $f->{type} !~ /DATA|HEADERS/;
        $h2->write(headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc', $limit{$s} ? ('x-accel-limit-rate' => 1600) : ()));
        $h2->write(data($s, $text));
        $h2->write(headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => 0));
    }
});
$w->conf("server { http2 on; grpc_web on; location / { grpc_pass $peer; } location /rate/ { limit_rate 1600; grpc_pass $peer; }
          location /error/ { limit_rate 1600; error_page 403 = \@there; deny all; } location \@there { grpc_web on; limit_rate 1600; grpc_pass $peer; } }", workers => 1);
my $frame  = pack('CN', 0x80, 16) . "grpc-status: 0\r\n";
my $decode = sub ($text) { join '', map { decode_base64($_) } $text =~ /([^=]*={0,2})/g };
my $call   = pack('CN', 0, 3) . 'abc';

for my $path (qw(/rate/a /peer/a /error/a)) {
    for my $is_text (0, 1) {
        my $type = 'application/grpc-web' . ($is_text ? '-text' : '');
        my $body = $is_text ? encode_base64($call, '') : $call;
        my $got  = $w->client->send("POST $path HTTP/1.1\r\nHost: localhost\r\nContent-Type: $type\r\nContent-Length: " . length($body) . "\r\n\r\n$body")->read_response;
        is $got->status, 200, "$path, $type: an answer";
        is $got->header('Content-Type'), $type, 'of its type';
        ok(($is_text ? $decode->($got->body) : $got->body) eq $text . $frame, 'with the whole message and its trailers');
    }
    my $h2 = Weir::Http2::client($w);
    is $h2->ask(':method' => 'POST', ':path' => $path, 'content-type' => 'application/grpc-web', body => $call), '200', "$path over HTTP/2";
    ok $h2->body eq $text . $frame, 'the same';
    $h2->close;
}
my $gone = $w->client->send("POST /rate/gone HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/grpc-web\r\nContent-Length: 8\r\n\r\n$call");
ok $gone->fill, 'an answer that is under way';
$gone->close;
my $next = $w->client->send("POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/grpc-web\r\nContent-Length: 8\r\n\r\n$call")->read_response;
ok $next->body eq $text . $frame, 'a client that goes meanwhile takes nobody with it';

done_testing;
