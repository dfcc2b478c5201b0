# Response queue poisoning.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new("bytes that follow an answer answer no request");
my $evil   = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
my $origin = $w->origin(sub ($c) {
    my ($way) = $c->request->target =~ m{/(\w+)};
    my $ok = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood";
    return $c->raw($ok)         if $way eq 'plain';
    return $c->raw($ok . $evil) if $way eq 'two';
    return $c->raw($ok . 'x')   if $way eq 'surplus';
    return $c->raw($ok . "\r\n") if $way eq 'crlf';
    return $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n$evil") if $way eq 'chunked';
    return $c->raw("HTTP/1.1 204 No Content\r\n\r\n$evil") if $way eq 'nocontent';
    return $c->raw("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n$evil") if $way eq 'notmodified';
    return $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood$evil") if $way eq 'head';
    return $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n$evil") if $way eq 'empty';
    if ($way eq 'later') {
        $c->raw($ok);
        select undef, undef, undef, 0.03;
        $c->raw($evil);
        $c->note('sent');
    }
});
$w->conf("upstream api { server $origin; keepalive 4; } server { location / { proxy_pass http://api; } }", workers => 1);

my %body = (map({ $_ => 'good' } qw(two surplus crlf chunked later)), map({ $_ => '' } qw(nocontent notmodified head empty)));
for my $way (sort keys %body) {
    my $method = $way eq 'head' ? 'HEAD' : 'GET';
    my $first  = $w->client->send_request($method, "/$way");
    is $first->read_response(method => $method)->body, $body{$way}, "$way: the answer";
    ok $first->is_quiet(0.01), "$way: and nothing behind it";
    $origin->wait_note('sent') if $way eq 'later';
    my $other = $w->client;
    is $other->get('/plain')->body, 'good', "$way: another client gets its own answer";
    is $first->get('/plain')->body, 'good', "$way: so does the first";
}

done_testing;
