# What add_trailer says comes behind the answer to a request that auth_request let in: GET and POST, bodies of none,
# some and many bytes, read ahead or streamed, answers of known and unknown length, over HTTP/1.1 and HTTP/2.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('trailers are added behind auth_request');
my $auth   = $w->origin(sub ($c) { $c->reply(200, 'no') });
my $origin = $w->origin(sub ($c) {
    $c->request->target =~ /chunked/ ? $c->reply_chunked(200, [ 'hel', 'lo' ]) : $c->reply(200, 'hello');
});
my $http2 = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $q = $h2->next_request) {
        $q->{end} || do { while (my $f = $h2->next_frame) {
            my $n = length $f->{payload};
            $h2->write(window(0, $n) . window($q->{stream}, $n)) if $n;
            last if $f->{type} eq 'DATA' && $f->{flags} & 1;
        } };
        $h2->answer($q->{stream}, 200, 'hello');
    }
});
my $places = '';
for my $in ('on', 'off') {
    for my $out ('on', 'off') {
        $places .= "location /$in-$out/ { proxy_request_buffering $in; proxy_buffering $out;"
            . " proxy_pass http://$origin; }\n";
    }
    $places .= "location /h2-$in/ { proxy_request_buffering $in; proxy_http_version 2; proxy_pass http://$http2; }\n";
}
$w->conf(<<"END", workers => 1);
    server {
        http2 on; client_max_body_size 1m; auth_request /auth; add_trailer X-T told;
        $places
        location = /auth {
            internal; auth_request off; proxy_pass http://$auth; proxy_pass_request_body off;
            proxy_set_header Content-Length '';
        }
        location /body/ { auth_request /auth-body; proxy_pass http://$origin; }
        location = /auth-body { internal; auth_request off; proxy_pass http://$auth; }
    }
END

sub over_1 ($method, $path, $body) {
    my $client = $w->client;
    my @length = $method eq 'POST' && !defined $body ? ('Content-Length', 0) : ();
    my $answer = $client->send_request($method, $path, headers => [ 'TE', 'trailers', @length ],
        defined $body ? (body => $body) : ())->read_response(method => $method);
    $client->close;
    return join ' ', $answer->status, $answer->body, $answer->trailer('x-t') // 'none';
}

sub over_2 ($method, $path, $body) {
    my $c = Weir::Http2::client($w);
    my ($id, $sent) = (1, 0);
    $c->request($id, ':method' => $method, ':path' => $path, defined $body ? (open => 1) : ());
    $c->{tells_windows} = 1;
    while (defined $body && $sent <= length $body) {
        my $room = 65535 + ($c->{windows}{$id} // 0) - $sent;
        my $n    = (sort { $a <=> $b } $room, 16384, length($body) - $sent)[0];
        if ($room <= 0) { $c->next_frame or last; next }
        my $last = $sent + $n == length $body;
        $c->write(data($id, substr($body, $sent, $n), $last ? 'END_STREAM' : ''));
        $sent += $n;
        last if $last;
    }
    my $status = $c->verdict($id, waits => 1);
    $c->close;
    return join ' ', $status, $c->body, $c->trailers->{'x-t'} // 'none';
}

my @bodies = ([ GET => undef ], [ POST => undef ], [ POST => '' ], [ POST => 'body' ], [ POST => 'x' x 100_000 ]);
for my $path ((map { ("/$_-on/", "/$_-off/", "/$_-on/chunked", "/$_-off/chunked", "/h2-$_/") } 'on', 'off'), '/body/') {
    my @wrong;
    for (@bodies) {
        my ($method, $body) = @$_;
        for my $over ([ 'HTTP/1.1', \&over_1 ], [ 'HTTP/2', \&over_2 ]) {
            my $is = $over->[1]->($method, $path, $body);
            push @wrong, "$over->[0] $method " . length($body // '') . ": $is" unless $is eq '200 hello told';
        }
    }
    is_deeply \@wrong, [], $path;
}

done_testing;
