# With `queue` requests wait until a server has room (max_conns): in the order in which they came, up to so many of all workers, for so long; who
# leaves is forgotten; places of killed workers are found.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Test;

my $w    = Weir::Test->new('requests wait in a queue until a server has room')->needs_weir->workers_may_change;
my $slow = $w->origin(sub ($c) {
    my $name = $c->request->{target} =~ tr{/}{-}r;
    $c->note($name);
    $c->wait_for($name) if $name =~ /hold/;
    $c->reply(200, "slow$name");
});
my $other = $w->origin(sub ($c) { $c->reply(200, 'other') });
my $text  = <<"END";
    upstream one   { server $slow max_conns=1; queue 3 timeout=1h; }
    upstream short { server $slow max_conns=1; queue 3 timeout=300ms; }
    upstream falls { server $slow max_conns=1; queue 1 timeout=300ms; fallback other; }
    upstream down  { server $slow max_conns=1 down; queue 3; }
    upstream other { server $other; }
    server {
        add_header X-Cause \$weir_cause always; add_header X-Pid \$pid always;
        location /one { proxy_pass http://one; }
        location /short { proxy_pass http://short; }
        location /falls { proxy_pass http://falls; }
        location /down { proxy_pass http://down; }
        location /status { status; }
    }
END
$w->conf($text, workers => 1);
$w->allow_log(qr/queue|room|falls back|No peer|worker process \d+ exited on signal 9|no servers|upstream/);
my $queue = sub ($name = 'one') { decode_json($w->get('/status')->body)->{upstreams}{$name}{queue} };
my $ask   = sub ($path) { $w->client->send_request('GET', $path) };

# In order.
my $held = $ask->('/one/hold-a');
$slow->wait_note('-one-hold-a');
my @wait;
for my $i (1 .. 3) {
    push @wait, $ask->("/one/$i");
    $w->wait_until("$i waits", sub { $queue->()->{now} == $i });
}
my $res = $w->get('/one/4');
is_deeply [ $res->status, $res->header('X-Cause') ], [ 502, 'upstream.queue.full' ], 'a fourth does not wait';
is $slow->requests, 1, 'one is sent so far';
$w->pass('-one-hold-a');
is $held->read_response->body, 'slow-one-hold-a', 'the first is answered';
is $wait[$_ - 1]->read_response->body, "slow-one-$_", "and so is $_ that waited" for 1 .. 3;
is join(' ', $slow->notes), '-one-hold-a -one-1 -one-2 -one-3', 'in their order';
is_deeply $queue->(), { now => 0, waited => 3, refused => { full => 1, timeout => 0 } }, 'all of that is counted';

# Too long, gone, no reason to wait.
$held = $ask->('/short/hold-b');
$slow->wait_note('-short-hold-b');
my $began = time;
$res = $w->get('/short/1');
is_deeply [ $res->status, $res->header('X-Cause') ], [ 502, 'upstream.queue.timeout' ], 'one that waits too long';
cmp_ok time - $began, '>=', 0.29, 'waits so long';
$w->pass('-short-hold-b');
is $held->read_response->body, 'slow-short-hold-b', 'the other one is answered';
is $w->get('/down/1')->header('X-Cause'), 'upstream.none', 'nobody waits for a server that is down';
$held = $ask->('/one/hold-c');
$slow->wait_note('-one-hold-c');
my $gone = $ask->('/one/gone');
$w->wait_until('it waits', sub { $queue->()->{now} == 1 });
$gone->close;
$w->wait_until('who has left waits no more', sub { $queue->()->{now} == 0 });
$w->pass('-one-hold-c');
$held->read_response;
ok !(grep { /gone/ } $slow->notes), 'and is not sent';

# To the fallback.
$held = $ask->('/falls/hold-d');
$slow->wait_note('-falls-hold-d');
my $waits = $ask->('/falls/1');
$w->wait_until('one waits', sub { $queue->('falls')->{now} == 1 });
is $w->get('/falls/2')->body, 'other', 'a full queue has a fallback';
is $waits->read_response->body, 'other', 'and so has a wait that is too long';
$w->pass('-falls-hold-d');
$held->read_response;

# Over all workers.
$w->reload($text, workers => 4);
$w->wait_until('four workers', sub { 4 == $w->workers });
my %pid;
for my $round (1, 2) {
    $held = $ask->("/one/hold-e$round");
    $slow->wait_note("-one-hold-e$round");
    @wait = map { $ask->("/one/all-$round-$_") } 1 .. 3;
    $w->wait_until('three wait', sub { $queue->()->{now} == 3 });
    for (1 .. 12) {
        $res = $w->get("/one/more");
        is $res->header('X-Cause'), 'upstream.queue.full', "round $round: no worker lets a fourth wait" or last;
        $pid{ $res->header('X-Pid') } = 1;
    }
    last if $round == 2;
    $w->pass("-one-hold-e$round");
    $began = time;
    $_->read_response for $held, @wait;
    cmp_ok time - $began, '<', 5, 'workers wake one another';
}
cmp_ok scalar keys %pid, '>', 1, 'several workers were asked';
my @workers = $w->workers;
kill KILL => $_ for @workers;
$w->wait_until('others are there', sub { my %old = map { $_ => 1 } @workers; 4 == grep { !$old{$_} } $w->workers });
$w->wait_until('no dead one waits', sub { $queue->()->{now} == 0 });
is $w->get('/one/after')->body, 'slow-one-after', 'their places are free';

done_testing;
