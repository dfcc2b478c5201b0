# type=tcp: a connection that can be made is enough, unless `match` says what is sent and what has to come.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('a tcp check sends and expects')->needs_weir;
my $says = sub ($text) { $w->peer(sub ($c) { $c->raw($text); eval { $c->take_all } }) };
my $pong = sub { $w->peer(sub ($c) { my $got = $c->take(6); $c->note("got $got" =~ s/\n/\\n/r); $c->raw("+PONG\r\n") if $got eq "PING\x0d\x0a"; eval { $c->take_all } }) };
my $hang = sub { $w->peer(sub ($c) { eval { $c->take_all } }) };
my $slow = sub { $w->peer(sub ($c) { for (split //, "220 hello\r\n") { $c->raw($_); select undef, undef, undef, 0.01 } eval { $c->take_all } }) };
my $over = sub { $w->peer(sub ($c) { 1 while $c->raw('x' x 4096) }) };
my @rows = (        # name, peer, match, why it is unhealthy
    [ 'open',    $hang->(),                   '' ],
    [ 'refused', $w->refused_peer,            '',                                      qr/connecting failed: Connection refused/ ],
    [ 'hole',    $w->blackhole_peer,          '',                                      qr/no connection in time/ ],
    [ 'hello',   $says->("220 hello\r\n"),    'expect "220 ";' ],
    [ 'other',   $says->("550 no\r\n"),       'expect "220 ";',                        qr/what is expected did not come in time/ ],
    [ 'closes',  $w->peer(sub ($c) { $c->raw("550 no\r\n"); $c->close }), 'expect "220 ";', qr/match "closes" failed: what came is not/ ],
    [ 'slow',    $slow->(),                   'expect "220 hello\x0d";' ],
    [ 'pattern', $says->("220 hello\r\n"),    'expect ~ "^2\d\d ";' ],
    [ 'no',      $w->peer(sub ($c) { $c->raw("550 no\r\n"); $c->close }), 'expect ~ "^2\d\d ";', qr/match "no" failed/ ],
    [ 'pong',    $pong->(),                   'send "PING\x0d\x0a"; expect "+PONG";' ],
    [ 'ping',    $pong->(),                   'send "PONG\x0d\x0a"; expect "+PONG";',  qr/what is expected did not come in time/ ],
    [ 'sends',   $hang->(),                   'send "x";' ],
    [ 'silent',  $hang->(),                   'expect "x";',                           qr/what is expected did not come in time/ ],
    [ 'endless', $over->(),                   'expect "y";',                           qr/match "endless" failed: what came/ ],
);
my ($matches, $groups) = ('', '');
for (@rows) {
    my ($name, $peer, $match, $why) = @$_;
    my $time = defined $why && $why =~ /in time/ ? '1s' : '30s';      # else what comes of it is no matter of time
    $matches .= "match $name { $match }\n" if length $match;
    $groups .= "upstream $name { server $peer; health_check interval=1h timeout=$time type=tcp" . (length $match ? " match=$name" : '') . "; }\n";
}
$w->conf("$groups $matches server { location /status { status; } }", workers => 1);
$w->allow_log(qr/is unhealthy/)->allow_bad;
my $seen;
$w->wait_until('each was checked', sub {
    $seen = decode_json($w->get('/status')->body)->{upstreams};
    !grep { !$seen->{$_->[0]}{peers}{"$_->[1]"}{health_checks}{checks} } @rows;
});
my $log = $w->error_log;
for (@rows) {
    my ($name, $peer, undef, $why) = @$_;
    is $seen->{$name}{peers}{"$peer"}{state}, defined $why ? 'unhealthy' : 'up', $name;
    like $log, qr/of upstream "$name" is unhealthy: .*$why/, "$name: the log says why" if defined $why;
}

done_testing;
