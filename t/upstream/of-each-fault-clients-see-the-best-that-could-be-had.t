# The table of faults.  A server that fails in this way, alone: what does the client get, and which cause is named and counted?  With
# another server behind it: what does the client get?  Does it rest then, and how long after its failure is it asked again, once it is well?
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Pki;
use Weir::Test;
use Weir::TlsPeer;

my $w      = Weir::Test->new('of each fault clients see the best that could be had')->needs_weir;
my $dir    = $w->dir;
my $rests  = 0.9;                   # fail_timeout
my $root   = Weir::Pki->authority($w, 'root');
my $valid  = $root->server('peer.example.com');
my $old    = $root->server('peer.example.com', days => [ -10, -1 ]);
my $verify = 'proxy_ssl_verify on; proxy_ssl_name peer.example.com; proxy_ssl_trusted_certificate ' . $root->file . ';';
my $good   = $w->origin(sub ($c) { $c->reply(200, 'good') });
my $secure = $w->peer(sub ($c) { Weir::TlsPeer::secure($c, cert => $valid) or return; $c->reply(200, 'good') while $c->read_request });

my $head  = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
my $after = sub ($work) { sub ($c) { $c->read_request or return; $work->($c) } };          # the request was read
my $hang  = sub ($c) { eval { $c->take_all } };                                             # until Weir closes
my $drip  = sub ($c, $bytes) { for (split //, $bytes) { $c->raw($_) or last; sleep 0.05 } };
my $fin   = sub ($c) { shutdown $c->{fh}, 1; $hang->($c) };                                 # half a close: it still reads
my $timeouts = 'proxy_connect_timeout 500ms; proxy_read_timeout 500ms; proxy_send_timeout 500ms;';

# name, what the server does, what a client of it alone gets, the cause; with another server behind: what the client gets ('good': that one's
# answer), whether it is blamed; more directives
my @faults = (
    [ 'refuse',               'refuse',                                                          502, 'upstream.connect.refused',  'good', 1 ],
    [ 'black-hole',           'hole',                                                            504, 'upstream.connect.timeout',  'good', 1 ],
    [ 'reset-on-accept',      sub ($c) { $c->reset },                                            502, qr/^upstream\.(?:reset|send\.failed|connect\.failed)$/, 'good', 1 ],
    [ 'reset-in-request',     sub ($c) { $c->take(20); $c->reset },                              502, 'upstream.reset',            'good', 1 ],
    [ 'reset-after-request',  $after->(sub ($c) { $c->reset }),                                  502, 'upstream.reset',            'good', 1 ],
    [ 'reset-in-head',        $after->(sub ($c) { $c->raw(substr $head, 0, 20); sleep 0.05; $c->reset }),        502, 'upstream.reset', 'good', 1 ],
    [ 'reset-in-body',        $after->(sub ($c) { $c->raw($head . '01234'); sleep 0.05; $c->reset }), 'cut', 'upstream.body.incomplete',      'cut',  1 ],
    [ 'close-after-request',  $after->(sub ($c) { $c->close }),                                  502, 'upstream.closed',           'good', 1 ],
    [ 'half-close',           $after->($fin),                                                    502, 'upstream.closed',           'good', 1 ],
    [ 'half-close-in-head',   $after->(sub ($c) { $c->raw(substr $head, 0, 20); $fin->($c) }),   502, 'upstream.closed',           'good', 1 ],
    [ 'half-close-in-body',   $after->(sub ($c) { $c->raw($head . '01234'); $fin->($c) }),     'cut', 'upstream.body.incomplete',  'cut',  1 ],
    [ 'no-head',              $after->($hang),                                                   504, 'upstream.read.timeout',     'good', 1 ],
    [ 'slow-head',            $after->(sub ($c) { $drip->($c, $head . '0' x 10) }),              504, 'upstream.try_timeout',      'good', 1, 'try_timeout 300ms;' ],
    [ 'no-body',              $after->(sub ($c) { $c->raw($head . '01234'); $hang->($c) }),    'cut', 'upstream.read.timeout',     'cut',  1 ],
    [ 'slow-body',            $after->(sub ($c) { $c->raw($head); $drip->($c, '0' x 10) }),    'cut', 'upstream.timeout',          'cut',  1, 'timeout 300ms;' ],
    [ 'truncated-body',       $after->(sub ($c) { $c->raw($head . '01234'); $c->close }),      'cut', 'upstream.body.incomplete',  'cut',  1 ],
    [ 'truncated-chunk',      $after->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n012"); $c->close }), 'cut', 'upstream.body.incomplete', 'cut', 1 ],
    [ 'garbage',              $after->(sub ($c) { $c->raw("\0\1\2 garbage \377\r\n\r\n"); $c->close }),     502, 'upstream.malformed',   'next', 1 ],
    [ 'garbage-for-a-chunk',  $after->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"); $c->close }), qr/^(?:cut|502)$/, 'upstream.body.malformed', qr/^(?:cut|502)$/, 1 ],
    [ 'two-lengths',          $after->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12") }), 502, 'upstream.malformed', 'next', 1 ],
    [ 'longer-than-it-says',  $after->(sub ($c) { $c->raw("${head}0123456789HTTP/1.1 200 OK\r\n\r\n"); $hang->($c) }), 200, '-',         200,  0 ],
    [ 'endless-head',         $after->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\n"); 1 while $c->raw('X: ' . 'y' x 1000 . "\r\n"); }), 502, 'upstream.header.too_large', 'next', 1 ],
    [ 'flood-of-100',         $after->(sub ($c) { for (1 .. 50) { $c->raw("HTTP/1.1 100 Continue\r\n\r\n") or last } $hang->($c) }), 502, 'upstream.interim', 'next', 1 ],
    [ 'flood-of-103',         $after->(sub ($c) { for (1 .. 50) { $c->raw("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") or last } $hang->($c) }), 502, 'upstream.interim', 'next', 1 ],
    [ 'no-tls',               sub ($c) { $c->take(5); $c->raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"); $hang->($c) }, 502, 'upstream.tls.handshake', 'good', 1, 'https' ],
    [ 'tls-closes',           sub ($c) { $c->take(5) },                                          502, 'upstream.tls.handshake',    'good', 1, 'https' ],
    [ 'tls-silent',           $hang,                                                             504, 'upstream.connect.timeout',  'good', 1, 'https' ],
    [ 'expired-certificate',  sub ($c) { Weir::TlsPeer::secure($c, cert => $old) },              502, 'upstream.tls.verify',       'good', 1, 'https' ],
);

# -- servers: as they fail until the file NAME.well is there --

my (%peer, %hole);
for my $fault (@faults) {
    my ($name, $work) = @$fault;
    my $is_tls = ($fault->[6] // '') eq 'https';
    if ($work eq 'refuse') { $peer{$name} = $w->refused_peer; next }
    if ($work eq 'hole')   { $peer{$name} = $w->blackhole_peer; next }
    $peer{$name} = $w->peer(sub ($c) {
        return $work->($c) if !-e "$dir/$name.well";
        if ($is_tls) { Weir::TlsPeer::secure($c, cert => $valid) or return }
        $c->reply(200, 'well again') while $c->read_request;
    });
}
my $heal = sub ($name) {
    my ($how) = map { $_->[1] } grep { $_->[0] eq $name } @faults;
    if ($how eq 'refuse' || $how eq 'hole') {
        my $port = $peer{$name} =~ s/.*://r;
        if ($how eq 'hole') {            # what lay in the listener's queue goes with it; the port stays held
            my $held = $w->{held};
            my ($at) = grep { (sockaddr_port($held->[$_]) // 0) == $port } 0 .. $#$held;
            shutdown $held->[$at], 2;
        }
        $w->origin(sub ($c) { $c->reply(200, 'well again') }, port => $port);
        return;
    }
    $w->write_file("$name.well", '');
};
sub sockaddr_port ($socket) { my $name = getsockname $socket or return; return Socket::sockaddr_family($name) == Socket::AF_INET6 ? (Socket::unpack_sockaddr_in6($name))[0] : (Socket::unpack_sockaddr_in($name))[0] }

my ($upstreams, $locations) = ('', '');
for my $fault (@faults) {
    my ($name, $more) = @$fault[ 0, 6 ];
    $more //= '';
    my ($scheme, $other) = $more eq 'https' ? ('https', $secure) : ('http', $good);
    $more = "$verify proxy_connect_timeout 1500ms;" if $more eq 'https';          # a handshake takes its time
    $upstreams .= "upstream alone-$name { keepalive 0; server $peer{$name}; }
        upstream pair-$name { keepalive 0; server $peer{$name} max_fails=1 fail_timeout=${\ int 1000 * $rests}ms; server $other backup; }\n";
    $locations .= "location /alone/$name { $more proxy_pass $scheme://alone-$name; } location /pair/$name { $more proxy_pass $scheme://pair-$name; }
        location /next/$name { $more proxy_next_upstream error timeout invalid_header; proxy_pass $scheme://pair-$name; }\n";
}
$w->allow_log(qr/upstream/);
$w->conf(<<"END", workers => 1);
    log_format judged '\$request_uri \$status \$weir_cause \$upstream_addr';
    access_log logs/judged.log judged;
    $upstreams
    server { $timeouts keepalive_timeout 0; $locations location = /status { status; } }
END

my $number = 0;
# What the client gets, and what is told of it: "VIEW", body, cause, servers
my $ask = sub ($path) {
    my $target = "$path?" . ++$number;
    my $answer = eval { $w->request('GET', $target) };
    die $@ if !$answer && $@ !~ /^eof/;
    my ($status, $cause, $servers) = split / /, $w->wait_for_access(qr{^\Q$target\E (.*)$}m, 'judged.log'), 3;
    return { view => $answer ? $answer->status : 'cut', body => $answer ? $answer->body : '', cause => $cause, servers => $servers };
};
my $counted = sub ($name, $group) { decode_json($w->get('/status')->body)->{upstreams}{"$group-$name"}{peers}{"$peer{$name}"} };

for my $fault (@faults) {
    my ($name, undef, $view, $cause, $pair, $is_blamed) = @$fault;
    my $like = sub ($is, $want, $what) { ref $want ? like($is, $want, $what) : is($is, $want, $what) };

    my $alone = $ask->("/alone/$name");
    $like->($alone->{view}, $view, "$name: alone: the client's view");
    $like->($alone->{cause}, $cause, "$name: the cause");
    my $seen = $counted->($name, 'alone');
    is_deeply [ $seen->{requests}, $seen->{fails}, $seen->{causes} ], [ 1, $is_blamed, $is_blamed ? { $alone->{cause} => 1 } : {} ], "$name: and counted";

    # what came out of the answer's head, an error of the wire: proxy_next_upstream names it, or not
    my $path = $pair eq 'next' ? 'next' : 'pair';
    my $from = time;
    my $got  = $ask->("/$path/$name");
    my $to   = time;
    if ($pair eq 'good' || $pair eq 'next') {
        is "$got->{view} $got->{body}", '200 good', "$name: before another: that one answers";
    } else {
        $like->($got->{view}, $pair, "$name: before another: the client's view");
    }
    next if !$is_blamed;
    is $counted->($name, 'pair')->{state}, 'unavail', "$name: the server rests" if time - $from < $rests;

    my $next = $ask->("/$path/$name");
    is $next->{body}, 'good', "$name: nobody meets the fault again" if time - $from < $rests;
    $heal->($name);
    my $last;
    $w->wait_until("$name is well again", sub { $last = $ask->("/$path/$name"); sleep 0.01; $last->{body} eq 'well again' || $last->{view} ne 200 });
    my $back = time;
    is $last->{body}, 'well again', "$name: when it is well, it is found so by a request that succeeds";
    cmp_ok $back - $from, '>=', $rests, "$name: after its rest";
    cmp_ok $back - $to, '<', $rests + 5, "$name: and soon";
    is $counted->($name, 'pair')->{state}, 'up', "$name: as the statistics say";
}

done_testing;
