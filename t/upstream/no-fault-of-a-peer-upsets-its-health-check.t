# The fault table of health checks: refused, black hole, silence, slow and endless heads and bodies, garbage, resets, TLS
# that fails.  Each makes the peer unhealthy for its reason within the check's time, or is judged by what came of it;
# nothing is waited for without end.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep);
use Weir::Pki;
use Weir::Test;
use Weir::TlsPeer;

my $w     = Weir::Test->new('no fault of a peer upsets its health check')->needs_weir;
my $root  = Weir::Pki->authority($w, 'root');
my $valid = $root->server('peer.example.com');
my $old   = $root->server('peer.example.com', days => [ -10, -1 ]);
my $head  = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
my $hang  = sub ($c) { eval { $c->take_all } };
my $after = sub ($work) { sub ($c) { $c->read_request or return; $work->($c) } };
my $drip  = sub ($c, $bytes) { for (split //, $bytes) { $c->raw($_) or last; sleep 0.1 } };
my $flood = sub ($c, $begin, $again) { $c->raw($begin); 1 while $c->raw($again) };
my $tls   = sub ($cert) { sub ($c) { Weir::TlsPeer::secure($c, cert => $cert) or return; $c->reply(200, 'ok') while $c->read_request } };

# name, what the peer does, why it is unhealthy (undef: it is healthy); match; https
my @faults = (
    [ 'refused',     'refuse',                                                           qr/upstream\.connect\.refused/ ],
    [ 'hole',        'hole',                                                             qr/upstream\.(connect\.timeout|deadline)/ ],
    [ 'reset',       sub ($c) { $c->reset },                                             qr/upstream\.(reset|send\.failed|connect\.failed)/ ],
    [ 'closed',      $after->(sub ($c) { $c->close }),                                   qr/upstream\.closed/ ],
    [ 'silent',      $after->($hang),                                                    qr/upstream\.(read\.timeout|timeout|deadline)/ ],
    [ 'slow-head',   $after->(sub ($c) { $drip->($c, $head . '0' x 100) }),               qr/upstream\.deadline/ ],
    [ 'slow-body',   $after->(sub ($c) { $c->raw($head); $drip->($c, '0' x 100) }),       qr/behind its head upstream\.deadline/ ],
    [ 'no-body',     $after->(sub ($c) { $c->raw($head . '01'); $hang->($c) }),          qr/behind its head upstream\.(read\.timeout|deadline)/ ],
    [ 'truncated',   $after->(sub ($c) { $c->raw($head . '01'); $c->close }),            qr/behind its head upstream\.body\.incomplete/ ],
    [ 'garbage',     $after->(sub ($c) { $c->raw("\0\1 garbage\r\n\r\n"); $c->close }),  qr/upstream\.malformed/ ],
    [ 'endless-head', $after->(sub ($c) { $flood->($c, "HTTP/1.1 200 OK\r\n", "X: y\r\n" x 100) }), qr/upstream\.header\.too_large/ ],
    [ 'flood-100',   $after->(sub ($c) { $flood->($c, '', "HTTP/1.1 100 Continue\r\n\r\n") }), qr/upstream\.interim/ ],
    [ 'endless',     $after->(sub ($c) { $flood->($c, "HTTP/1.1 200 OK\r\n\r\n", 'x' x 8192) }), undef ],
    [ 'endless-miss', $after->(sub ($c) { $flood->($c, "HTTP/1.1 200 OK\r\n\r\n", 'x' x 8192) }), qr/match "m" failed: body ~ well/, 'match=m' ],
    [ 'late-words',  $after->(sub ($c) { $c->reply(200, ('x' x (256 * 1024)) . 'well') }), qr/match "m" failed: body ~ well/, 'match=m' ],
    [ 'last-words',  $after->(sub ($c) { $c->reply(200, ('x' x (256 * 1024 - 4)) . 'well') }), undef, 'match=m' ],
    [ 'no-tls',      sub ($c) { $c->take(5); $c->raw("HTTP/1.1 400 No\r\n\r\n"); $hang->($c) }, qr/upstream\.tls\.handshake/, '', 1 ],
    [ 'tls-silent',  $hang,                                                              qr/upstream\.(connect\.timeout|deadline)/, '', 1 ],
    [ 'expired',     $tls->($old),                                                       qr/upstream\.tls\.verify.*expired/, '', 1 ],
    [ 'tls',         $tls->($valid),                                                     undef, '', 1 ],
);
my ($groups, $places, %peer) = ('', '');
for (@faults) {
    my ($name, $work, undef, $more, $is_tls) = @$_;
    my $peer = $peer{$name} = $work eq 'refuse' ? $w->refused_peer : $work eq 'hole' ? $w->blackhole_peer : $w->peer($work);
    $groups .= "upstream $name { server $peer; }\n";
    my $time = defined $_->[2] && $_->[2] =~ /timeout|deadline/ ? '2s' : '30s';     # else what comes of it is no matter of time
    $places .= "location /$name { proxy_pass http" . ($is_tls ? 's' : '') . "://$name; health_check interval=1h timeout=$time " . ($more // '') . "; }\n";
}
$w->conf("match m { body ~ well; } $groups server {
    proxy_ssl_verify on; proxy_ssl_name peer.example.com; proxy_ssl_server_name on; proxy_ssl_trusted_certificate " . $root->file . "; proxy_buffer_size 4k;
    $places location /status { status; } }", workers => 1);
$w->allow_log(qr/is unhealthy/)->allow_bad;
my $seen;
$w->wait_until('each was checked', sub {
    $seen = decode_json($w->get('/status')->body)->{upstreams};
    !grep { !$seen->{$_->[0]}{peers}{"$peer{$_->[0]}"}{health_checks}{checks} } @faults;
});
my $log = $w->error_log;
for (@faults) {
    my ($name, undef, $why) = @$_;
    is $seen->{$name}{peers}{"$peer{$name}"}{state}, defined $why ? 'unhealthy' : 'up', $name;
    like $log, qr/of upstream "$name" is unhealthy: .*$why/, "$name: the log says why" if defined $why;
}
ok grep({ $_ eq 'name peer.example.com' } $peer{tls}->notes), 'the name is asked for as by requests';
is $w->get('/status')->status, 200, 'Weir is well';

done_testing;
