# gRPC-Web together with request_header and response_header: the rules hold for what the peer gets and for the head of the answer, over HTTP/1.1 and HTTP/2; a client's own
# spelling of a field that is set, or of one of the protocol's, changes nothing; trailers in the body are the peer's.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64 decode_base64);
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('rules for headers hold for gRPC-Web')->needs_weir;
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    $h2->{deadline} = 60;
    while (my $f = $h2->next_frame) {
        my $s = $f->{stream};
        if ($f->{type} eq 'HEADERS') {
            my $h = $f->{fields};
            my $all = sub ($name) { join ',', map { $_->[1] } grep { $_->[0] eq $name } @$h };
            $c->note(join '|', map { "$_=" . $all->($_) } qw(:path content-type te x-user x-gone x-grpc-web grpc-timeout));
            $h2->write(headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc', 'x-secret' => 'peer', 'x-kept' => 'yes'));
        }
        $h2->write(data($s, pack('CN', 0, 2) . 'ok') . headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => 0, 'x-secret' => 'in trailers')) if $s && $f->{type} =~ /DATA|HEADERS/ && $f->{flags} & 1;
    }
});
$w->conf(<<"END", workers => 1);
    server {
        http2 on; grpc_web on; grpc_read_timeout 20s;
        request_header set X-User "from \$remote_addr"; request_header remove X-Gone; request_header set Grpc-Timeout 5S;
        response_header remove X-Secret; response_header set X-Shown "\$upstream_status";
        location / { grpc_pass $peer; }
        route r { match grpc=weir.Echo/Unary; request_header add X-User route; grpc_pass $peer; }
    }
END
my $message = pack('CN', 0, 2) . 'hi';
my $seen = sub ($path, $user, $name) { is [ $peer->notes ]->[-1], ":path=$path|content-type=application/grpc+proto|te=trailers|x-user=$user|x-gone=|x-grpc-web=1|grpc-timeout=5S", "$name: what the peer gets" };
my $judge = sub ($name, $body, $head) {
    like $body, qr/\A\0\0\0\0\x02ok\x80/s, "$name: the message, then trailers";
    like $body, qr/grpc-status: 0\r\n/, "$name: the peer's status";
    is $head->{'x-secret'} // '-', '-', "$name: a field of the answer is removed";
    is $head->{'x-shown'} // '-', '200', "$name: one is set";
    is $head->{'x-kept'} // '-', 'yes', "$name: one is the peer's";
    like $head->{'content-type'}, qr{^application/grpc-web}, "$name: the type is that of gRPC-Web";
};
my @fields = ('X-User' => 'root', 'x-user' => 'admin', 'X-Gone' => '1', 'X-Grpc-Web' => '1', 'Grpc-Timeout' => '1n', 'TE' => 'gzip', 'Content-Type' => 'application/grpc-web+proto');
for my $path ('/other.Echo/Unary', '/weir.Echo/Unary') {
    my $user = 'from 127.0.0.1' . ($path =~ /weir/ ? ',route' : '');
    my $r = $w->client->send_request('POST', $path, body => $message, headers => \@fields)->read_response(method => 'POST');
    $judge->("HTTP/1.1 $path", $r->body, { map { lc $_ => scalar $r->header($_) } $r->names });
    $seen->($path, $user, "HTTP/1.1 $path");
    $r = $w->client->send_request('POST', $path, body => encode_base64($message, ''), headers => [ @fields[0 .. 11], 'Content-Type' => 'application/grpc-web-text+proto' ])->read_response(method => 'POST');
    $judge->("as text $path", join('', map { decode_base64($_) } $r->body =~ /([^=]*={0,2})/g), { map { lc $_ => scalar $r->header($_) } $r->names });
    $seen->($path, $user, "as text $path");
    my $c = Weir::Http2::client($w);
    is $c->ask(':method' => 'POST', ':path' => $path, 'content-type' => 'application/grpc-web+proto', 'x-user' => 'root', 'x-gone' => '1', 'x-grpc-web' => '1', 'grpc-timeout' => '1n', body => $message), '200', "HTTP/2 $path";
    $judge->("HTTP/2 $path", $c->body, $c->head);
    $seen->($path, $user, "HTTP/2 $path");
    $c->close;
}
done_testing;
