# proxy_pass_trailers: fields behind a peer's body, over HTTP/1.1 and HTTP/2 on both sides, with data and without; what goes to the peer for it.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('trailers of the peer reach the client when asked for');
my @says = ('Server-Timing' => 'a;dur=1', 'X-Checksum' => 'abc', 'X-Hidden' => 'h', 'Content-Length' => '99', 'Transfer-Encoding' => 'chunked',
    'Set-Cookie' => 'evil=1', 'Host' => 'evil', 'Authorization' => 'x');
my $h1 = $w->origin(sub ($c) {
    my %f = map { lc $_->[0] => $_->[1] } $c->request->{fields}->@*;
    $c->note(join '|', map { $f{$_} // '-' } qw(te connection));
    return $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") if $c->request->method eq 'HEAD';
    $c->reply_chunked(200, $c->request->target =~ /empty/ ? [] : ['body'], trailers => \@says);
});
my $h2 = $w->peer(sub ($wire) {
    my $c = Weir::Http2::serve($wire);
    while (my $request = $c->next_request) {
        my ($stream, $head) = @$request{qw(stream fields)};
        $wire->note($head->{te} // '-');
        my @length = $head->{':path'} =~ /zero/ ? ('content-length' => 0) : ();
        $c->write(headers($stream, 'END_HEADERS', ':status' => 200, @length)
            . ($head->{':path'} =~ /empty/ ? '' : data($stream, 'body')) . headers($stream, 'END_HEADERS END_STREAM', 'x-checksum' => 'abc', 'x-hidden' => 'h'));
    }
});
$w->conf(<<"END", workers => 1);
    upstream h1 { server $h1; keepalive 4; }
    log_format up '\$uri \$upstream_trailer_x_checksum \$sent_trailer_x_checksum';
    access_log logs/up.log up;
    server { http2 on; proxy_hide_header X-Hidden;
        location /off { proxy_pass http://h1; proxy_set_header X-A 1; }
        location /h1 { proxy_pass_trailers on; proxy_pass http://h1; }
        location /te { proxy_pass_trailers on; proxy_set_header TE \$http_x_te; proxy_set_header Connection te; proxy_pass http://h1; }
        location /h2 { proxy_pass_trailers on; proxy_http_version 2; proxy_pass http://$h2; }
        location /own { proxy_pass_trailers on; add_trailer X-Own 1; proxy_pass http://h1; }
    }
END

my $client = $w->client;
my $told   = sub ($answer) { join ' ', sort map { lc "$_->[0]=$_->[1]" } $answer->{trailers}->@* };
for my $path (qw(/h1 /h1-empty)) {
    my $answer = $client->get($path);
    is $answer->body, $path eq '/h1' ? 'body' : '', "HTTP/1.1, $path: the body";
    is $told->($answer), 'server-timing=a;dur=1 x-checksum=abc', '… its trailers; none of framing, of identity or that is hidden';
}
is $told->($client->get('/off', TE => 'trailers')), '', 'off, which is the default: none';
is $told->($client->get('/own')), 'server-timing=a;dur=1 x-checksum=abc x-own=1', 'before those of add_trailer';
is $told->($client->get('/h2')), 'x-checksum=abc', 'from HTTP/2';
is $told->($client->get('/h2-empty')), 'x-checksum=abc', '… behind no data';
my $zero = $client->get('/h2-empty-zero');
is $zero->framing, 'length', 'a length of zero stays one over HTTP/1.1, where no trailers can follow';
is $told->($zero), '', '… and none do';
is $client->send_request('HEAD', '/h1')->read_response(method => 'HEAD')->body, '', 'HEAD has none';
$client->get('/te', 'X-TE' => 'gzip, trailers');
$client->get('/te');
is_deeply [ $h1->notes ], [ ('trailers|TE') x 2, '-|-', ('trailers|TE') x 3, '-|-' ], 'an HTTP/1.1 peer is told TE: trailers, as proxy_set_header has it';
is_deeply [ $h2->notes ], [ ('trailers') x 3 ], 'an HTTP/2 peer, too';
is $h1->connections, 1, 'the connection to the peer is kept';
is $w->client->send("GET /h1 HTTP/1.0\r\nHost: a\r\n\r\n")->read_response->body, 'body', 'HTTP/1.0 has none';

my $c  = Weir::Http2::client($w);
for my $path (qw(/h1 /h1-empty /h2 /h2-empty /h2-empty-zero)) {
    is $c->ask(':path' => $path), '200', "over HTTP/2: $path";
    is $c->body, $path =~ /empty/ ? '' : 'body', 'the body';
    is $c->trailers->{'x-checksum'}, 'abc', 'its trailers';
    ok !exists $c->trailers->{$_}, "but never $_" for qw(content-length set-cookie transfer-encoding x-hidden);
}
is $c->ask(':path' => '/off', te => 'trailers'), '200', 'off';
is_deeply $c->trailers, {}, 'none';
$c->close;
$w->wait_for_access(qr{/off abc -\n}, 'up.log');
like $w->access_log('up.log'), qr{^/h1 abc abc\n}, 'the peer\'s and what was sent are told apart in the log';

done_testing;
