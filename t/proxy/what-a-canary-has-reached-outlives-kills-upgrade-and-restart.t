# Where a canary stands outlives the death of workers, an upgrade, a stop and the death of all; each change is made once,
# by four workers that are killed all the time; and all workers have the new share with their next request.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Store;
use Weir::Test;

my $w    = Weir::Test->new('what a canary has reached outlives kills, upgrade and restart')->needs_weir->workers_may_change->descriptors_may_stay;
my $bad  = "$w->{dir}/bad";
my $old  = $w->origin(sub { shift->reply(200, 'old') });
my $new  = $w->origin(sub ($c) { $c->reply(-e $bad ? 503 : 200, 'new') });
my $text = <<"END";
    upstream old { server $old; } upstream new { server $new max_fails=0; }
    server {
        add_header X-Target \$split_target always;
        location / { proxy_next_upstream off; proxy_pass http://old weight=1; proxy_pass http://new weight=0;
                     canary shop http://new steps=10,20,40,50 interval=150ms min_requests=4 errors=30%; }
        location /status { status; } location /metrics { prometheus; }
    }
END
$w->conf($text, main => "store_path store;\n", workers => 4);
$w->allow_log(qr/worker process|signal/);
$w->start;
my $ask    = sub ($n) { my %n; $n{ $w->get('/')->header('X-Target') }++ for 1 .. $n; \%n };
my $canary = sub { decode_json($w->get('/status')->body)->{canaries}{shop} };
is_deeply [ $canary->()->@{qw(state target step steps)} ], [ 'rising', 'http://new', 1, 4 ], 'the statistics have it';

my $stop = "$w->{dir}/stop";
my @load = map { $w->child(sub { until (-e $stop) { eval { $w->get('/') } or sleep 0.01 } }) } 1 .. 3;
my ($step, $next) = (0, 0);
while ($step < 4) {
    $step = eval { $canary->()->{step} } // $step;
    next if time < $next;
    my @workers = $w->workers;
    kill KILL => $workers[ rand @workers ] if @workers;
    $next = time + 0.1;
}
$w->write_file('stop', '');
$_->(20) for @load;
$w->wait_until('four workers are there', sub { 4 == $w->workers });
is $canary->()->{rises}, 3, 'it rose three times while workers were killed';
my %told;
$told{$_}++ for $w->error_log =~ /canary "shop": \S+ goes to step (\d)/g;
is_deeply [ grep { $told{$_} > 1 } keys %told ], [], 'no step is made twice';
is_deeply $ask->(20), { 'http://old' => 10, 'http://new' => 10 }, 'all workers have the share of the last step';

$w->write_file('bad', '');
$w->wait_until('it is rolled back', sub { $w->get('/'); $canary->()->{state} eq 'rolled_back' });
is scalar(my @back = $w->error_log =~ /canary "shop": \S+ is rolled back/g), 1, 'which is told once';
my $is = $canary->();
is $is->{last}, 'errors', 'the statistics say why';
cmp_ok $is->{release}{errors}, '>=', 1, 'with the errors of the release';
cmp_ok $is->{release}{requests}, '>=', 4, 'and its requests';
is $is->{share_percent}, 0, 'its share is none';
my $metrics = $w->get('/metrics')->body;
like $metrics, qr/^weir_canary_rollbacks_total\{canary="shop"\} 1$/m, 'Prometheus counts it';
like $metrics, qr/^weir_canary_state\{canary="shop",state="rolled_back"\} 1$/m, 'has the state';
like $metrics, qr/^weir_canary_share_ratio\{canary="shop"\} 0\.0000$/m, 'and the share';
unlink $bad;

my $stays = sub ($what) {
    is_deeply $ask->(12), { 'http://old' => 12 }, "$what: no request goes there";
    is $canary->()->{state}, 'rolled_back', 'and why is known';
};
my ($code, $said) = $w->tool(qw(-s upgrade));
is $code, 0, "an upgrade: $said";
$w->wait_until('another master', sub { eval { $w->taken_over } });
$stays->('after an upgrade');
is +($w->tool(qw(store flush)))[0], 0, 'written';
$w->stop;
$w->start;
$stays->('after a stop');
is +($w->tool(qw(store flush)))[0], 0, 'written';
Weir::Store::kill_all($w);
$w->start;
$stays->('after all were killed');
$w->reload($text =~ s/canary shop http:\/\/new/canary shop http:\/\/new release=2/r);
is $canary->()->{state}, 'rising', 'another release begins anew';
is $canary->()->{release_name}, '2', 'by its name';
$w->reload($text);
$stays->('the one before, once more');

done_testing;
