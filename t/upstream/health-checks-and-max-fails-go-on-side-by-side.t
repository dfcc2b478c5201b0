# max_fails and health_check judge a peer each for itself: a peer is asked while neither objects.  What they know of it
# stays when the list of peers changes, by a reload, or by the names that are resolved.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Dns;
use Weir::Test;

my $w     = Weir::Test->new('health checks and max_fails go on side by side')->needs_weir;
my ($ill, $fails) = map { $w->{dir} . "/$_" } qw(ill fails);
my $good  = $w->origin(sub { shift->reply(200, 'good') });
my $sick  = $w->origin(sub ($c) {
    return $c->reply(-e $ill ? 503 : 200, 'check') if $c->request->target eq '/check';
    return $c->close if -e $fails;
    $c->reply(200, 'sick');
});
my $conf = sub ($servers, $check = 'interval=100ms fails=3 passes=2') { <<"END" };
    upstream all { $servers }
    server { location / { proxy_pass http://all; health_check uri=/check $check; } location /status { status; } }
END
$w->conf($conf->("server $good; server $sick fail_timeout=1h;"), workers => 2);
$w->allow_log(qr/is unhealthy|is healthy|temporarily disabled|closed/);
my $peer  = sub { decode_json($w->get('/status')->body)->{upstreams}{all}{peers}{"$sick"} };
my $state = sub { $peer->()->{state} };
my $is    = sub ($what) { $w->wait_until($what, sub { $state->() eq $what }); pass "it is $what" };
my $asked = sub { my %got; $got{ $w->get("/$_")->body }++ for 1 .. 12; join ' ', sort keys %got };

$w->wait_until('it was checked', sub { $peer->()->{health_checks}{checks} > 1 });
$w->write_file('fails', '');
$asked->();
$is->('unavail');
is_deeply $peer->()->{barred}, [], 'max_fails marks it while its checks pass';
my $had = $peer->()->{health_checks}{checks};
$w->wait_until('checks go on', sub { $peer->()->{health_checks}{checks} > $had + 2 });
is $state->(), 'unavail', 'checks that pass do not make it good';

$w->write_file('ill', '');
$is->('unhealthy');
unlink $fails;
$w->reload($conf->("server $good; server $sick fail_timeout=100ms;"));
select undef, undef, undef, 0.2;
is $asked->(), 'good', 'its time after failures is over, but it is unhealthy: a reload has forgotten nothing';
is $state->(), 'unhealthy', 'as is told';
$w->reload($conf->("server $sick fail_timeout=100ms; server $good weight=3;"));
is $state->(), 'unhealthy', 'nor when the list of servers is another';
is $asked->(), 'good', 'in any worker';

my $log = $w->error_log;
is scalar(() = $log =~ /is unhealthy/g), 1, 'the log has said it once in all this';
unlink $ill;
$w->wait_until('it is asked again', sub { $asked->() eq 'good sick' });
is $state->(), 'up', 'both find it good';
is $peer->()->{health_checks}{unhealthy}, 1, 'it was unhealthy once';

$w->end_checks;
done_testing;
