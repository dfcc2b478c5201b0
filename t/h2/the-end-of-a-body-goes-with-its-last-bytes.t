# END_STREAM stands on the last DATA, toward peers and clients, also where the length was not known; nginx does the same.  And many small frames are
# the same body as one.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('the end of a body goes with its last bytes');
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    my (%path, %frames);
    while (my $f = $h2->next_frame) {
        my $s = $f->{stream};
        if ($f->{type} eq 'HEADERS') { my %h = map { @$_ } $f->{fields}->@*; $path{$s} = $h{':path'} }
        push $frames{$s}->@*, length $f->{payload} if $f->{type} eq 'DATA';
        next unless $f->{flags} & 1 && $f->{type} =~ /DATA|HEADERS/;
        my $text = join ' ', ($frames{$s} // [])->@*;
        $h2->write(headers($s, 'END_HEADERS', ':status' => 200) . data($s, $text, 'END_STREAM'));
    }
});
my $plain = $w->origin(sub ($c) { $c->reply_chunked(200, ['hello']) });
my $sink  = $w->origin(sub ($c) { $c->reply(200, $c->request->body) });
$w->conf(<<"END", workers => 1);
    proxy_http_version 2;
    server {
        http2 on;
        location /stored { proxy_pass http://$peer; } location /streamed { proxy_pass http://$peer; proxy_request_buffering off; }
        location /chunked { proxy_pass http://$plain; proxy_http_version 1.1; }
        location /sink { proxy_pass http://$sink; proxy_http_version 1.1; proxy_request_buffering off; }
    }
END

for my $path ('/stored', '/streamed') {
    my $c = Weir::Http2::client($w);
    $c->request(1, ':method' => 'POST', ':path' => $path, body => 'hello');
    is $c->verdict(1, waits => 1) . ' ' . $c->body, '200 5', "$path: one frame of a client of HTTP/2 is one frame";
    $c->request(3, ':method' => 'POST', ':path' => $path, 'content-length' => 5, body => 'hello');
    is $c->verdict(3, waits => 1) . ' ' . $c->body, '200 5', "$path: also with a length";
    is $w->request('POST', $path, body => 'hello')->body, '5', "$path: and of a client of HTTP/1.1";
}

my $c = Weir::Http2::client($w);
$c->request(1, ':path' => '/chunked');
my @frames;
while (my $f = $c->next_frame) { push @frames, length $f->{payload} if $f->{type} eq 'DATA'; last if $f->{flags} & 1 }
is "@frames", '5', 'an answer of unknown length ends with its last bytes, too';

$c = Weir::Http2::client($w);
$c->request(1, ':method' => 'POST', ':path' => '/sink', open => 1);
my $text = join '', map { chr 97 + $_ % 26 } 1 .. 5000;
$c->write(join('', map { data(1, $_) } split //, $text) . data(1, '', 'END_STREAM'));
is $c->verdict(1, waits => 1) . ' ' . $c->body, "200 $text", 'five thousand frames of one byte are a body';

$c = Weir::Http2::client($w);
$c->request(1, ':method' => 'POST', ':path' => '/stored', 'content-length' => 9, body => 'hello');
is $c->verdict(1, waits => 1), '400', 'a body that is shorter than it said is answered 400';
my $f = $c->next_frame;
is "$f->{type} " . unpack('N', $f->{payload}), 'RST_STREAM 1', 'and its stream reset as malformed';

done_testing;
