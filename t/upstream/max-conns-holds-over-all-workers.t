# max_conns bounds what all workers together have under way on a peer, also while workers are killed: never one more,
# and none of the places is lost.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('max_conns holds over all workers')->needs_weir->workers_may_change;
my $slow = $w->origin(sub ($c) { $c->wait_for('answer'); $c->reply(200, 'slow') });
my $rest = $w->origin(sub ($c) { $c->reply(200, 'rest') });
$w->conf(<<"END", workers => 4);
    upstream two { server $slow max_conns=3; server $rest backup; }
    server { location / { proxy_pass http://two; add_header X-Pid \$pid; } location /status { status; } }
END
$w->allow_log(qr/worker process \d+ exited on signal 9/);
my $active = sub { decode_json($w->get('/status')->body)->{upstreams}{two}{peers}{"$slow"}{active} };

my @held = map { $w->client->send_request('GET', "/held$_") } 1 .. 3;
$slow->wait_requests(3);
is $active->(), 3, 'three are under way';
my %pids;
for (1 .. 40) {
    my $res = $w->get("/$_");
    $pids{ $res->header('X-Pid') } = 1;
    is $res->body, 'rest', "request $_ goes to the backup" or last;
}
cmp_ok scalar keys %pids, '>', 1, 'in more than one worker';
is $slow->requests, 3, 'no worker asks it for a fourth';

my @workers = $w->workers;
kill KILL => $_ for @workers;
$w->wait_until('others are there', sub { my %old = map { $_ => 1 } @workers; 4 == grep { !$old{$_} } $w->workers });
$w->wait_until('what the dead had under way is given back', sub { $active->() == 0 });
my @again = map { $w->client->send_request('GET', "/again$_") } 1 .. 3;
$slow->wait_requests(6);
is $w->get('/more')->body, 'rest', 'three places are there again, and not a fourth';
$w->pass('answer') for 1 .. 3;

done_testing;
