use v5.36;
use lib 't/lib';
use Weir::Fault;
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Fault->test('each failure of HTTP/2 is survived');
my $fault  = $w->{fault};
$w->allow_bad;                                        # a peer's connection may end before its first byte
my $body   = join '', map { "line $_\n" } 1 .. 3000;
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->target =~ /upload/ ? length $c->request->body : $body, 'X-Long', 'x' x 3000) });
my $peer   = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c, settings => [ 3 => 100, 4 => 1_000_000 ]);
    $h2->write(window(0, 10_000_000));
    my %got;
    while (my $f = $h2->next_frame) {
        $got{ $f->{stream} } .= $f->{payload} if $f->{type} eq 'DATA';
        next unless $f->{type} =~ /^(?:HEADERS|DATA)$/ && $f->{flags} & 1;
        $h2->write(headers($f->{stream}, 'END_HEADERS', ':status' => 200, 'x-long' => 'x' x 3000) . data($f->{stream}, substr $body, 0, 9000) . data($f->{stream}, 'END')
            . headers($f->{stream}, 'END_HEADERS END_STREAM', 'x-trailer' => 1));
    }
});
$w->conf(<<"CONF", workers => 1, control => 0);
server {
    http2 on; client_max_body_size 0;
    location /ordinary { return 200 "fine"; }
    location / { proxy_pass http://$origin; }
    location /peer { proxy_pass http://$peer; proxy_http_version 2; }
}
CONF

sub verdict ($is, $seen, $want) {
    return $is =~ /^[45]/ ? 'refused' : 'closed' if $is ne '200';
    $seen eq $want or die "another body came\n";
    return 'right';
}

sub ask ($path, $want, %arg) {
    my $c    = eval { Weir::Http2::client($w, settings => [ 4 => 1_000_000 ]) } // return Weir::Fault::judge_end($@ =~ /no SETTINGS/ ? "eof: $@" : $@);
    my $word = eval { $c->write(window(0, 1_000_000)); my $is = $c->ask(':path' => $path, te => 'trailers', %arg); verdict($is, $c->body, $want) } // Weir::Fault::judge_end($@);
    $c->close;
    return $word;
}

sub from_h1 ($n) {
    my $client = $w->client;
    my $word   = eval { my $answer = $client->get("/peer/$n"); $answer->status == 200 ? verdict(200, $answer->body, substr($body, 0, 9000) . 'END') : 'refused' } // Weir::Fault::judge_end($@);
    $client->close;
    return $word;
}

is ask('/warm', $body), 'right', 'it works: a request';
is ask('/upload', 16_000, ':method' => 'POST', body => 'u' x 16_000), 'right', 'an upload';
is ask('/peer', substr($body, 0, 9000) . 'END'), 'right', 'to a peer of HTTP/2';
is from_h1('warm'), 'right', 'and from HTTP/1';
$fault->baseline;
$fault->sweep('a request over HTTP/2', flow => sub ($n) { ask("/$n", $body) });
$fault->sweep('an upload over HTTP/2', flow => sub ($n) { ask("/upload/$n", 16_000, ':method' => 'POST', body => 'u' x 16_000) });
$fault->sweep('a request to a peer of HTTP/2', flow => sub ($n) { ask("/peer/$n", substr($body, 0, 9000) . 'END') });
$fault->sweep('HTTP/1 to HTTP/2', flow => \&from_h1);

done_testing;
