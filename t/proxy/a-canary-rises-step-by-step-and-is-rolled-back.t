# A canary gets more of the requests step by step while it does as well as the others; it is held while there is too
# little to judge it by, and rolled back for errors and for latency, with the figures in the log.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w      = Weir::Test->new('a canary rises step by step, and is rolled back')->needs_weir;
my $mood   = "$w->{dir}/mood";                                       # of the new release: origins are processes of their own
my $stable = $w->origin(sub { shift->reply(200, 'stable') });
my $next   = $w->origin(sub ($c) {
    select undef, undef, undef, 0.2 if -e "$mood.slow";
    $c->reply(-e "$mood.bad" ? 500 : 200, 'next');
});
my $text = <<"END";
    upstream stable { server $stable; } upstream next { server $next; }
    server {
        add_header X-Target \$split_target always;
        location /a { proxy_pass http://stable weight=9; proxy_pass http://next weight=0;
                      canary shop http://next steps=10,50,100 interval=300ms min_requests=5 errors=20%; }
        location /first { proxy_pass http://stable weight=9; proxy_pass http://next weight=0;
                      canary first http://next steps=10,50,100 interval=1h; }
        location /half { proxy_pass http://stable weight=9; proxy_pass http://next weight=0;
                      canary half http://next steps=50,100 interval=1h; }
        location /few { proxy_pass http://stable weight=1; proxy_pass http://next weight=0;
                      canary few http://next steps=10,50 interval=100ms min_requests=1000; }
        location /slow { proxy_pass http://stable weight=1; proxy_pass http://next weight=0;
                      canary slow http://next steps=50,100 interval=1h min_requests=4 latency=p50:2x latency_min=100ms errors=off; }
        location /bad { proxy_pass http://stable weight=1; proxy_pass http://next weight=0;
                      canary bad http://next steps=20,100 interval=1h min_requests=3; }
        location /key { split_key \$arg_k; proxy_pass http://stable weight=1; proxy_pass http://next weight=0;
                      canary keys http://next steps=25,75 interval=1h min_requests=1000000; }
    }
END
$w->allow_log(qr/store_path/);
$w->conf($text, workers => 2);
my $ask = sub ($path, $n) { my %n; $n{ $w->get($path)->header('X-Target') }++ for 1 .. $n; \%n };

is_deeply $ask->('/first', 20), { 'http://stable' => 18, 'http://next' => 2 }, 'at a step of 10 it has one request in ten';
is_deeply $ask->('/half', 20), { 'http://stable' => 10, 'http://next' => 10 }, 'at a step of 50 one in two';
$w->wait_until('it goes to its second step', sub { $ask->('/a', 20); $w->error_log =~ /canary "shop": \S+ goes to step 2, 50\.00%/ });
$w->wait_until('it goes to its last step', sub { $ask->('/a', 20); $w->error_log =~ /canary "shop": \S+ goes to step 3, 100\.00%/ });
is_deeply $ask->('/a', 20), { 'http://next' => 20 }, 'then all';
my @rises = $w->error_log =~ /canary "shop": \S+ goes/g;
is scalar(@rises), 2, 'each step is told once';
like $w->error_log, qr/goes to step 2, 50\.00% of the requests: 0 of \d+ of its requests failed; 0 of \d+ of the others' failed/, 'with the figures';

$w->wait_until('one with too few requests is held', sub { $ask->('/few', 10); $w->error_log =~ /canary "few": \S+ is held at step 1, it had too few requests/ });
is_deeply $ask->('/few', 20), { 'http://stable' => 18, 'http://next' => 2 }, 'where it is';

my $before = $ask->('/key?k=1', 3);
is scalar(keys %$before), 1, 'a key has one target';
my %keys;
$keys{ $w->get("/key?k=$_")->header('X-Target') }++ for 1 .. 200;
cmp_ok $keys{'http://next'}, '>', 25, 'keys are shared, too';
cmp_ok $keys{'http://next'}, '<', 80, 'about as the step says';

$w->write_file('mood.bad', '');
my ($bad, $asked) = (0, 0);
$w->wait_until('one that fails is rolled back', sub { $asked++; $bad += $w->get('/bad')->status == 500; $w->error_log =~ /canary "bad"/ });
is $bad, 3, 'after three errors, long before the interval is over';
like $w->error_log, qr/\[warn\] .*canary "bad": http:\/\/next is rolled back from step 1 because of its errors: 3 of 3 of its requests failed; 0 of \d+ of the others' failed/,
    'and the log says why';
is_deeply $ask->('/bad', 20), { 'http://stable' => 20 }, 'then it has no requests';
unlink "$mood.bad";

$w->write_file('mood.slow', '');
$w->wait_until('one that is slow is rolled back', sub { $ask->('/slow', 2); $w->error_log =~ /canary "slow"/ });
like $w->error_log, qr/canary "slow": \S+ is rolled back from step 1 because of its latency: 0 of \d+ of its requests failed, p50 \d+ ms; 0 of \d+ of the others' failed, p50 \d+ ms/,
    'with both latencies';
unlink "$mood.slow";
is_deeply $ask->('/slow', 10), { 'http://stable' => 10 }, 'and has no requests';

$w->reload($text =~ s/http:\/\/next steps=20,100/http:\/\/next release=2 steps=20,100/r =~ s/weight=9/weight=8/r);
is_deeply $ask->('/a', 20), { 'http://next' => 20 }, 'a reload forgets nothing of a canary';
is_deeply $ask->('/slow', 10), { 'http://stable' => 10 }, 'also one that was rolled back';
is_deeply $ask->('/bad', 20), { 'http://stable' => 16, 'http://next' => 4 }, 'another release begins anew';
my ($code, $zones) = $w->tool('zones');
like $zones, qr/^rollout +shop:\w+ .* state=complete step=3\/3 share=100\.00% last=rose failed=0\/\d+ of_others=0\/\d+$/m, 'weir zones shows the step and what was found last';
like $zones, qr/^rollout +slow:\w+ .* state=rolled_back step=1\/2 share=0\.00% last=latency/m, 'and a rollback';

done_testing;
