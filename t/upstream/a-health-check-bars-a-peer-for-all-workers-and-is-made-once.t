# A peer that fails its health check is asked by no worker until it passes again.  However many workers there are, there
# is one check an interval, and the log tells of each change once.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('a health check bars a peer for all workers, and is made once')->needs_weir;
my $ill  = $w->{dir} . '/ill';      # origins are processes of their own
my $good = $w->origin(sub { shift->reply(200, 'good') });
my $sick = $w->origin(sub ($c) {
    return $c->reply(-e $ill ? 500 : 200, 'check') if $c->request->{target} eq '/health';
    $c->reply(200, 'sick');
});
$w->conf(<<"END", workers => 4);
    upstream all { server $good; server $sick; }
    server {
        location / { proxy_pass http://all; health_check uri=/health interval=200ms; }
        location /status { status; }
    }
END
$w->allow_log(qr/is unhealthy|is healthy/);
my $peer  = sub { decode_json($w->get('/status')->body)->{upstreams}{all}{peers}{"$sick"} };
my $count = sub { $peer->()->{health_checks} };

$w->wait_until('some checks', sub { $count->()->{checks} >= 3 });
my ($before, $began) = ($count->()->{checks}, Time::HiRes::time());
$w->wait_until('more of them', sub { $count->()->{checks} >= $before + 10 });
my $took = Time::HiRes::time() - $began;
cmp_ok $took, '>=', 1.75, 'ten checks take ten intervals, with four workers';
is $peer->()->{state}, 'up', 'it is up';
my %got;
$got{ $w->get("/$_")->body }++ for 1 .. 20;
is_deeply [sort keys %got], [qw(good sick)], 'and is asked';

$w->write_file('ill', '');
$w->wait_until('it is unhealthy', sub { $peer->()->{state} eq 'unhealthy' });
%got = ();
$got{ $w->get("/$_")->body }++ for 1 .. 40;
is_deeply \%got, { good => 40 }, 'no worker asks it';
my $seen = $count->();
is $seen->{unhealthy},   1, 'it became unhealthy once';
is $seen->{last_passed}, 0, 'and its last check failed';
cmp_ok $seen->{fails}, '>=', 1, 'which is counted';
cmp_ok $seen->{downstart_seconds}, '>', 1e9, 'since a time that is told';
is_deeply $peer->()->{barred}, ['check'], 'for this reason';

unlink $ill;
$w->wait_until('it is up again', sub { $peer->()->{state} eq 'up' });
%got = ();
$got{ $w->get("/$_")->body }++ for 1 .. 20;
is_deeply [sort keys %got], [qw(good sick)], 'and asked again';
cmp_ok $count->()->{downtime_seconds}, '>', 0, 'how long it was away is known';

my $log = $w->error_log;
is scalar(() = $log =~ /peer \Q$sick\E of upstream "all" is unhealthy: status 500/g), 1, 'the log has said so once';
is scalar(() = $log =~ /peer \Q$sick\E of upstream "all" is healthy/g), 1, 'and once that it is healthy again';
is scalar(() = $log =~ /peer \Q$good\E of upstream "all" is unhealthy/g), 0, 'and nothing bad of the other';

$w->end_checks;
done_testing;
