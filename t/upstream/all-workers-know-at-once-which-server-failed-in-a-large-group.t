# Workers tell one another which peer has changed, so that nobody looks at all of a large group: who failed in one of
# them is asked by none, and who is well again by all.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('all workers know at once which server failed in a large group')->needs_weir;
my $fine = $w->{dir} . '/fine';     # origins are processes of their own
my $good = $w->origin(sub { shift->reply(200, 'ok') });
my @sick = map { $w->origin(sub ($c) { -e $fine ? $c->reply(200, 'well again') : $c->close }) } 1 .. 4;
my $servers = join '', map({ "server $_ max_fails=1 fail_timeout=1h;\n" } @sick), "server $good max_fails=0;\n" x 60;
my $conf = "upstream all { $servers }\nserver { location / { proxy_pass http://all; add_header X-Pid \$pid; } location /status { status; } }";
$w->conf($conf, workers => 4);
$w->allow_log(qr/temporarily disabled|upstream|closed/);

my %pids;
$pids{ $w->get("/$_")->header('X-Pid') }++ for 1 .. 600;
cmp_ok scalar grep({ $_ > 64 } values %pids), '>', 1, 'more than one worker had a turn for each of them';
is $_->requests, 1, 'one failure in all workers, and no worker asked it again' for @sick;
my $peers = sub { decode_json($w->get('/status')->body)->{upstreams}{all}{peers} };
is $peers->()->{"$_"}{state}, 'unavail', 'which every worker shows' for @sick;

$w->write_file('fine', '');
$w->reload($conf =~ s/fail_timeout=1h/fail_timeout=100ms/gr);
$w->wait_until('all are tried and well again', sub { $w->get('/try'); !grep { $peers->()->{"$_"}{state} ne 'up' } @sick });
my @before = map { $_->requests } @sick;
$w->get("/$_") for 1 .. 320;
cmp_ok $sick[$_]->requests, '>=', $before[$_] + 3, 'and every worker asks it again' for 0 .. $#sick;
done_testing;
