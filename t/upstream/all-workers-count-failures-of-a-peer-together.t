# Failures of a peer are counted over all workers: three of them mark it, whichever workers saw them, and then no worker
# asks it; when one request has found it well again, every worker does.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('all workers count failures of a peer together')->needs_weir;
my $fine = $w->{dir} . '/fine';     # origins are processes of their own
my $good = $w->origin(sub { shift->reply(200, 'ok') });
my $sick = $w->origin(sub ($c) { -e $fine ? $c->reply(200, 'well again') : $c->close });
my $conf = <<"END";
    upstream all { server $good; server $sick max_fails=3 fail_timeout=1h; }
    server { location / { proxy_pass http://all; add_header X-Pid \$pid; } location /status { status; } }
END
$w->conf($conf, workers => 4);
$w->allow_log(qr/temporarily disabled|upstream|closed/);
my $state = sub { decode_json($w->get('/status')->body)->{upstreams}{all}{peers}{"$sick"} };

my %pids;
$pids{ $w->get("/$_")->header('X-Pid') } = 1 for 1 .. 60;
cmp_ok scalar keys %pids, '>', 1, 'more than one worker served';
is $sick->requests, 3, 'three failures in all workers, and no worker asked it again';
is $state->()->{state}, 'unavail', 'which every worker shows';
is $state->()->{active}, 0, 'with no request under way';

$w->write_file('fine', '');
$w->reload($conf =~ s/fail_timeout=1h/fail_timeout=100ms/r);
$w->wait_until('it is tried and well again', sub { $w->get('/try'); $state->()->{state} eq 'up' });
my $before = $sick->requests;
$w->get("/$_") for 1 .. 40;
cmp_ok $sick->requests, '>=', $before + 10, 'and every worker asks it again';

done_testing;
