# gRPC-Web (PROTOCOL-WEB): browsers' calls, binary and base64 text, over HTTP/1.1 and HTTP/2; trailers come as the body's last frame.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64 decode_base64);
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('gRPC-Web calls become gRPC');
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    my %got;
    while (my $f = $h2->next_frame) {
        my $s = $f->{stream};
        if ($f->{type} eq 'HEADERS') {
            my %h = map { @$_ } $f->{fields}->@*;
            $c->note(join ' ', map { $h{$_} // 'none' } qw(:path content-type te content-length x-grpc-web));
            if ($h{':path'} eq '/only') { $h2->write(headers($s, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 5)); next }
            $h2->write(headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc+proto', 'x-initial' => 1));
        }
        $h2->write(data($s, $f->{payload}) . window(0, length $f->{payload}) . window($s, length $f->{payload})) if $f->{type} eq 'DATA' && length $f->{payload};
        $h2->write(headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => 0, 'Grpc-Message' =~ tr/A-Z/a-z/r => 'fine', 'x-trail' => 'yes')) if $f->{type} =~ /DATA|HEADERS/ && $f->{flags} & 1;
    }
});
my $dead = $w->refused_peer;
$w->conf("server { http2 on; grpc_web on; client_max_body_size 1m; location / { grpc_pass $peer; } location /dead { grpc_pass $dead; } location /off { grpc_web off; grpc_pass $peer; } }", workers => 1);

my $message  = sub ($text) { pack('CN', 0, length $text) . $text };
my $trailers = "grpc-status: 0\r\ngrpc-message: fine\r\nx-trail: yes\r\n";
my $frame    = pack('CN', 0x80, length $trailers) . $trailers;
# Base64 that may be padded within.
my $decode = sub ($text) { join '', map { decode_base64($_) } $text =~ /([^=]*={0,2})/g };
my $post   = sub ($path, $type, $body, %arg) {
    my $framing = $arg{chunked} ? 'Transfer-Encoding: chunked' : 'Content-Length: ' . length $body;
    my $bytes   = $arg{chunked} ? join('', map { sprintf "%x\r\n%s\r\n", length, $_ } unpack "(a$arg{chunked})*", $body) . "0\r\n\r\n" : $body;
    return $w->client->send("POST $path HTTP/1.1\r\nHost: localhost\r\nContent-Type: $type\r\nX-Grpc-Web: 1\r\n$framing\r\n\r\n$bytes")->read_response;
};

for my $size (0, 1, 2, 3, 1000, 100_000) {
    my $sent   = $message->('m' x $size);
    my $answer = $post->('/binary', 'application/grpc-web+proto', $sent);
    is $answer->status, 200, "binary, $size bytes";
    is $answer->header('Content-Type'), 'application/grpc-web+proto', 'its type is its own';
    ok $answer->body eq $sent . $frame, 'its message, and the trailers as a frame';
    is $answer->header('X-Initial'), 1, 'initial metadata are fields';
    my $text = $post->('/text', 'application/grpc-web-text', encode_base64($sent, ''));
    is $text->header('Content-Type'), 'application/grpc-web-text', "text, $size bytes";
    ok $decode->($text->body) eq $sent . $frame, 'the same in base64';
}
is +($peer->notes)[0], '/binary application/grpc+proto trailers 5 1', 'the peer sees gRPC';
is +($peer->notes)[1], '/text application/grpc trailers none 1', 'of text too';
my $sent = $message->('split at any byte, and then once more');
for my $chunk (1 .. 9) {
    my $answer = $post->('/text', 'application/grpc-web-text+proto', encode_base64($sent, ''), chunked => $chunk);
    ok $decode->($answer->body) eq $sent . $frame, "text in pieces of $chunk";
}
my $pieces = encode_base64('ab', '') . encode_base64('c', '') . encode_base64('defg', '');
ok $decode->($post->('/text', 'application/grpc-web-text', $pieces)->body) eq "abcdefg$frame", 'pieces that were encoded one by one';

for my $bad ('A', 'AB', 'ABC', 'ABCDE', 'AB=C', 'A===', '====', 'AB!D', "AB\nD", 'QQ=', 'QR==', 'QQB=') {
    my $answer = eval { $post->('/text', 'application/grpc-web-text', $bad) };
    my $whole  = $answer && $decode->($answer->body) =~ /grpc-status: 0/;
    ok !$whole, "'" . $bad =~ s/\n/\\n/r . "' is no base64: the call does not succeed";
}
my $answer = $post->('/only', 'application/grpc-web', $message->('x'));
is $answer->status . ' ' . ($answer->header('grpc-status') // ''), '200 5', 'an answer of trailers only has its status in the head';
$answer = $post->('/dead', 'application/grpc-web', $message->('x'));
is $answer->status . ' ' . ($answer->header('grpc-status') // ''), '200 14', 'so has one of Weir';
is $answer->header('Content-Type'), 'application/grpc-web', 'as gRPC-Web';
$answer = $post->('/binary', 'application/grpc-web', 'x' x 2_000_000);
is $answer->header('grpc-status'), 8, 'a body that is too large is RESOURCE_EXHAUSTED';
is $post->('/off', 'application/grpc-web', $message->('x'))->header('Content-Type'), 'application/grpc+proto', 'where it is off nothing is translated';

my $h2 = Weir::Http2::client($w);
is $h2->ask(':method' => 'POST', ':path' => '/binary', 'content-type' => 'application/grpc-web', body => $message->('over h2')), '200', 'over HTTP/2';
ok $h2->body eq $message->('over h2') . $frame, 'the same';
is_deeply $h2->trailers, {}, 'and no trailers of its own';
$h2->close;

done_testing;
