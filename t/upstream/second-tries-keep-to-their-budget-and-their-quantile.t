# hedge: budget= over all workers; after=p95 of what the group's answers took of late in all workers; retry_budget holds for it, too.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Test;

my $w    = Weir::Test->new('second tries keep to their budget and their quantile')->needs_weir;
my $work = sub ($c) { my ($ms) = $c->request->target =~ /ms=(\d+)/; sleep $ms / 1000; $c->reply(200, $ms) };
my @at   = map { $w->origin($work) } 1 .. 2;
my $pair = "server $at[0]; server $at[1];";
$w->allow_log(qr/upstream/);
$w->conf(<<"END", workers => 4);
    upstream five  { $pair }
    upstream none  { $pair }
    upstream quick { $pair }
    upstream bound { retry_budget 5%; $pair }
    server {
        add_header X-Tries \$upstream_status always;
        location /five  { hedge after=20ms; proxy_pass http://five; }
        location /none  { hedge after=20ms budget=0%; proxy_pass http://none; }
        location /quick { hedge after=p95 budget=100%; proxy_pass http://quick; }
        location /bound { hedge after=20ms budget=100%; proxy_pass http://bound; }
        location = /status { status; }
    }
END
is $w->get("/none?ms=0")->status, 200, "it serves";
my $group = sub ($name) { decode_json($w->get('/status')->body)->{upstreams}{$name} };
# n requests, of which some are under way at one time
my $load = sub ($path, $n, $at_once = 4) {
    my @pids = map { my $mine = int($n / $at_once); $w->child(sub { $w->get($path) for 1 .. $mine }) } 1 .. $at_once;
    $_->(60) for @pids;
};

$load->('/five?ms=60', 60);
my $seen = $group->('five');
is_deeply [ @$seen{qw(hedges hedges_refused)} ], [ 3, 57 ], 'of sixty slow requests five in a hundred are sent a second time';
$load->('/none?ms=60', 8);
is $group->('none')->{hedges}, 0, 'a budget of nothing';
$load->('/bound?ms=60', 40);
$seen = $group->('bound');
is_deeply [ @$seen{qw(hedges hedges_refused retries)} ], [ 2, 38, 2 ], 'the budget of retries is one for them, too';

is $w->get('/quick?ms=300')->header('X-Tries'), '200', 'p95: nothing is known yet, so that nobody waits for it';
$load->('/quick?ms=0', 200);
is $group->('quick')->{hedges} < 60, 1, 'p95: what is usual is rarely sent twice';
my $before = $group->('quick')->{hedges};
my $from   = time;
like $w->get('/quick?ms=700')->header('X-Tries'), qr/^(?:200, -|-, 200)$/, 'p95: what takes longer is';
cmp_ok time - $from, '<', 2, 'p95: (both took as long)';
is $group->('quick')->{hedges}, $before + 1, 'p95: by any worker';
$w->workers_may_change;
$w->allow_log(qr/worker process|signal/);
kill KILL => $_ for $w->workers;
$w->wait_until('others serve', sub { eval { $w->get('/none?ms=0')->status == 200 } });
like $w->get('/quick?ms=700')->header('X-Tries'), qr/^(?:200, -|-, 200)$/, 'p95: what is known outlives workers';
$w->reload;
like $w->get('/quick?ms=700')->header('X-Tries'), qr/^(?:200, -|-, 200)$/, 'and a reload';

done_testing;
