# A peer that is marked as failed stays so when the group changes, when all workers are killed, and when another program
# takes over.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('what is known of a peer outlives reload, upgrade and workers')->needs_weir->workers_may_change;
my $good = $w->origin(sub { shift->reply(200, 'ok') });
my $sick = $w->origin(sub ($c) { $c->close });
my $more = $w->origin(sub { shift->reply(200, 'more') });
my $conf = <<"END";
    upstream all { server $good; server $sick fail_timeout=1h; }
    server { location / { proxy_pass http://all; } location /status { status; } }
END
$w->conf($conf, workers => 2);
$w->allow_log(qr/temporarily disabled|upstream|exited on signal 9/);
my $state = sub { decode_json($w->get('/status')->body)->{upstreams}{all}{peers}{"$sick"}{state} };
$w->get("/$_") for 1 .. 6;
is $sick->requests, 1, 'it failed once';
is $state->(), 'unavail', 'and is marked';

$w->reload($conf =~ s/server \Q$good\E;/server $good weight=3; server $more;/r);
$w->get("/$_") for 1 .. 10;
is $state->(), 'unavail', 'a reload that changes the group forgets nothing';

my @workers = $w->workers;
kill KILL => $workers[0];
$w->wait_until('another worker is there', sub { 2 == grep { $_ != $workers[0] } $w->workers });
kill KILL => $workers[1];
$w->wait_until('and another', sub { 2 == grep { $_ != $workers[0] && $_ != $workers[1] } $w->workers });
$w->get("/$_") for 1 .. 10;
is $state->(), 'unavail', 'nor does the death of workers, one after another';

my ($code, $said) = $w->tool(qw(-s upgrade));
is $code, 0, 'another program takes over' or diag $said;
$w->wait_until('it is there', sub { eval { $w->taken_over } });
$w->get("/$_") for 1 .. 10;
is $state->(), 'unavail', 'nor an upgrade';
is $sick->requests, 1, 'it was asked once in all this';

done_testing;
