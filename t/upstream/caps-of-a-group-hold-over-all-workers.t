# max_requests, max_pending, max_retries and max_connections bound what all workers together have: never one more, what is beyond is refused
# with a cause of its own, and what workers that are killed held is given back.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep);
use Weir::Test;

my $w    = Weir::Test->new('caps of a group hold over all workers')->needs_weir->workers_may_change;
my $slow = $w->origin(sub ($c) { $c->wait_for('answer'); $c->reply(200, 'slow') });
my $hole = $w->blackhole_peer;
my $dead = $w->refused_peer;
my $wait = $w->origin(sub ($c) { $c->wait_for('retries'); $c->reply(200, 'second') });
$w->conf(<<"END", workers => 4);
    upstream requests    { server $slow; max_requests 3; }
    upstream pending     { server $hole; max_pending 3; }
    upstream connections { server $slow; max_connections 3; }
    upstream retries     { server $dead max_fails=0; server $wait backup; max_retries 2; }
    server {
        add_header X-Pid \$pid always; add_header X-Cause \$weir_cause always;
        location /requests { proxy_pass http://requests; }
        location /pending { proxy_pass http://pending; }
        location /connections { proxy_pass http://connections; }
        location /retries { proxy_pass http://retries; }
        location /status { status; }
        location /metrics { prometheus; }
    }
END
$w->allow_log(qr/worker process \d+ exited on signal 9|Connection refused|refused the connection|upstream\.full|disabled/);
my $caps = sub ($name) { decode_json($w->get('/status')->body)->{upstreams}{$name}{caps} };
my $kill = sub {
    my @workers = $w->workers;
    kill KILL => $_ for @workers;
    $w->wait_until('others are there', sub { my %old = map { $_ => 1 } @workers; 4 == grep { !$old{$_} } $w->workers });
};
my $refused = sub ($path, $cause) {
    my %pids;
    for (1 .. 20) {
        my $res = $w->get("/$path");
        return fail("$path: request $_ got " . $res->status . ' ' . ($res->header('X-Cause') // ''))
            unless $res->status == 503 && $res->header('X-Cause') eq $cause;
        $pids{ $res->header('X-Pid') } = 1;
    }
    cmp_ok scalar keys %pids, '>', 1, "$path: more than one worker refuses what is beyond: $cause";
};

for my $what (qw(requests connections pending)) {
    for my $round (1, 2) {
        my $before = $slow->requests;
        my @held   = map { $w->client->send_request('GET', "/$what/$_") } 1 .. 3;
        $w->wait_until("$what: three are there", sub { $caps->($what)->{now}{$what} == 3 });
        $refused->($what, "upstream.full.$what");
        $w->wait_until("$what: three are with the server", sub { $slow->requests >= $before + 3 }) unless $what eq 'pending';
        is $slow->requests, $before + 3, "$what: no fourth is sent" unless $what eq 'pending';
        $kill->();
        $w->wait_until("$what: the dead hold none", sub { $caps->($what)->{now}{$what} == 0 });
    }
    cmp_ok $caps->($what)->{refused}{$what}, '>=', 40, "$what: it is counted";
}
like $w->get('/metrics')->body, qr/^weir_upstream_caps_now\{upstream="requests",of="requests"\} 0$/m, 'and told';

my @first = map { $w->client->send_request('GET', "/retries/$_") } 1 .. 2;
$w->wait_until('two are sent once more', sub { $caps->('retries')->{now}{retries} == 2 });
my $res = $w->get('/retries/more');
is $res->status, 502, 'a third is not sent again';
is $res->header('X-Cause'), 'upstream.connect.refused', 'and is told what had happened';
is $caps->('retries')->{refused}{retries}, 1, 'it is counted';
$w->pass('retries') for 1 .. 2;
is $_->read_response->body, 'second', 'those two were' for @first;
is $caps->('retries')->{now}{retries}, 0, 'none is under way';

done_testing;
