# fails= in a row make a peer unhealthy, passes= in a row make it healthy; a mixed row does neither.  Of several checks of a
# group one that fails is enough; the same check in two places is made once.  jitter delays.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes;
use Weir::Test;

my $w = Weir::Test->new('checks in a row decide and each check of a group counts')->needs_weir;
my $n = 0;      # of the one process that serves the kept connection
my @row = (200,500,500,200,500,500,500,200,500,200,200,500,200,200);
my $origin = $w->origin(sub ($c) {
    my $k = $n++;
    $c->note("answer $k " . ($row[$k] // 200)) ;
    $w->wait_for("go$k") if $k < @row;
    $c->reply($row[$k] // 200, 'ok');
});
my $two   = $w->origin(sub ($c) { my $t = $c->request->target; $c->reply(-e $w->{dir} . $t ? 500 : 200, 'ok') });
my $often = $w->origin(sub ($c) { $c->reply(200, 'ok') });
$w->conf(<<"END", workers => 1);
    upstream row { server $origin; }
    upstream two { server $two; health_check uri=/a interval=50ms; health_check uri=/b interval=50ms; }
    upstream often { server $often; }
    server {
        location /row { proxy_pass http://row; health_check interval=10ms fails=3 passes=2 keepalive_time=1h; }
        location /two { proxy_pass http://two; health_check uri=/a interval=50ms; }
        location /often { proxy_pass http://often; health_check interval=50ms jitter=100ms; }
        location /status { status; }
    }
END
$w->allow_log(qr/is unhealthy|is healthy/);
my $peer  = sub ($group, $at) { decode_json($w->get('/status')->body)->{upstreams}{$group}{peers}{"$at"} };

my @expected = qw(up up up up up up unhealthy unhealthy unhealthy unhealthy up up up up);
my @seen;
for my $k (0 .. $#row) {
    $w->pass("go$k");
    $w->wait_until("check $k is over", sub { $peer->('row', $origin)->{health_checks}{checks} > $k });
    push @seen, $peer->('row', $origin)->{state};
}
is "@seen", "@expected", 'three failures in a row, and two passes in a row';
is $peer->('row', $origin)->{health_checks}{fails}, 7, 'each failure is counted';

$w->wait_until('it was checked', sub { $peer->('two', $two)->{health_checks}{checks} > 4 });
my %count; $count{$_}++ for $two->lines;
cmp_ok abs($count{'GET /a'} - $count{'GET /b'}), '<=', 2, 'two checks, of which one stands twice, are made as often as one another';
is $peer->('two', $two)->{state}, 'up', 'both pass';
for my $bad (['a'], ['a', 'b'], ['b'], []) {
    unlink map { $w->{dir} . "/$_" } qw(a b);
    $w->write_file($_, '') for @$bad;
    my $want = @$bad ? 'unhealthy' : 'up';
    $w->wait_until("@$bad: $want", sub { $peer->('two', $two)->{state} eq $want });
    my $had = $peer->('two', $two)->{health_checks}{checks};
    $w->wait_until('more checks', sub { $peer->('two', $two)->{health_checks}{checks} >= $had + 6 });
    is $peer->('two', $two)->{state}, $want, 'while ' . (@$bad ? "@$bad fail" : 'none fails');
}

my $often_checks = sub { $peer->('often', $often)->{health_checks}{checks} };
my ($first, $began) = ($often_checks->(), Time::HiRes::time());
$w->wait_until('20 checks', sub { $often_checks->() >= $first + 20 });
cmp_ok Time::HiRes::time() - $began, '>=', 1.4, 'jitter: 20 checks take 20 intervals of 50 ms and up to 100 ms more each';

like $w->error_log, qr/upstream "two" is unhealthy: status 500 \(check 1 of 2\)/, 'of several checks the log says which';

$w->end_checks;
done_testing;
