# Without request buffering, and in gRPC, what was sent of a body is remembered while it is small: a request that was never worked on (REFUSED_STREAM,
# a GOAWAY that leaves it out), or whose method may be repeated, goes to the next peer whole.  A large one is not.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('a small streamed body is sent to the next peer');
my $peer = sub ($how) {
    $w->peer(sub ($c) {
        my $h2 = Weir::Http2::serve($c);
        my %got;
        while (my $f = $h2->next_frame) {
            my $s = $f->{stream};
            if ($f->{type} eq 'DATA') {
                $got{$s} .= $f->{payload};
                $h2->write(window(0, length $f->{payload}) . window($s, length $f->{payload})) if length $f->{payload};
            }
            next if $f->{type} !~ /^(?:HEADERS|DATA)$/ || !($f->{flags} & 1);
            $h2->write($how->($s, $got{$s} // ''));
        }
    });
};
my $good = $peer->(sub ($s, $body) {
    headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc') . data($s, 'good ' . length($body) . " $body") . headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => 0);
});
my $refuse = $peer->(sub ($s, $body) { rst($s, 'REFUSED_STREAM') });
my $leaves = $peer->(sub ($s, $body) { goaway(0, 'NO_ERROR') });
my $plain  = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, 'good ' . length($r->body) . ' ' . $r->body) });
my $closes = $w->peer(sub ($c) { $c->read_request; $c->close });
my $group  = sub ($name, $first, $second) { "upstream $name { server $first max_fails=0; server $second backup; }" };
$w->allow_log(qr/upstream\./);
$w->conf($group->('refuse', $refuse, $good) . $group->('leaves', $leaves, $good) . $group->('closes', $closes, $plain) . <<'END', workers => 1);
    server {
        http2 on;
        proxy_request_buffering off;
        client_body_buffer_size 16k;
        location /refuse { proxy_http_version 2; proxy_pass http://refuse; }
        location /leaves { proxy_http_version 2; proxy_pass http://leaves; }
        location /grpc.refuse { grpc_pass refuse; }
        location /grpc.leaves { grpc_pass leaves; }
        location /closes { proxy_pass http://closes; }
    }
END
my $client = $w->client;
for my $way (qw(refuse leaves)) {
    for my $size (1, 5000, 16000) {
        my $body = 'b' x $size;
        is $client->send_request('POST', "/$way", body => $body)->read_response->body, "good $size $body", "$way: a POST of $size bytes is sent again whole";
    }
    my $chunked = $w->client->send("POST /$way HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    is $chunked->send("2\r\nde\r\n0\r\n\r\n")->read_response->body, 'good 5 abcde', 'one in pieces, too';
    is $w->request('POST', "/$way", body => 'b' x 100_000)->status, 502, 'a large one is not';
    my $h2 = Weir::Http2::client($w);
    is $h2->ask(':method' => 'POST', ':path' => "/grpc.$way", 'content-type' => 'application/grpc', te => 'trailers', body => "\0\0\0\0\3abc"), '200', 'a gRPC call';
    is $h2->body, "good 8 \0\0\0\0\3abc", 'is sent again';
    is $h2->trailers->{'grpc-status'}, 0, 'and succeeds';
    $h2->close;
}
is $w->request('PUT', '/closes', body => 'some')->body, 'good 4 some', 'a PUT whose peer went is sent again';
is $w->request('POST', '/closes', body => 'some')->status, 502, 'a POST is not';

done_testing;
