# plan_limit: over reload and killed workers nothing is forgotten and nothing stays held; over restart quotas and long rates are kept; a
# plan that is removed while its requests are under way.
use v5.36;
use lib 't/lib';
use Weir::Store;
use Weir::Test;

my $w = Weir::Test->new('limits of plans outlive reload, kill and restart')->needs_weir;
Weir::Store::not_at_the_end_of_a_month();
my $origin = $w->origin(sub ($c) { $c->wait_for("go $1") if $c->request->target =~ /held=(\w+)/; $c->reply(200, 'ok') });
$w->workers_may_change->allow_log(qr/exited on signal 9|signal 9|limit\.plan|plan "/);
$w->conf(<<"END", main => "store_path store;\nstore_flush 100ms;\n", workers => 2);
http {
    plan_limit_zone plans:1m;
    anonymous plan=free key=\$arg_who;
    server {
        plan_limit; plan_limit_require on;
        location / { proxy_pass http://$origin; }
        location /off { plan_limit off; return 204; }
    }
}
END
my $tool = sub (@words) { my ($code, $said) = $w->tool(@words); is $code, 0, "weir @words" or diag $said; $said };
$tool->('plan', 'add', 'free', 'month=10', 'rate=1r/m', 'burst=19', 'concurrency=3');
$w->start;
my $all = sub ($n, $target) {
    my @clients = map { $w->client->send_request('GET', $target) } 1 .. $n;
    my %is;
    $is{ $_->read_response->status }++ for @clients;
    $_->close for @clients;
    return \%is;
};
my $one = sub ($target) { my $a = eval { $w->get($target) }; $a ? $a->status : 0 };
my $serves = sub { $w->wait_until('workers serve', sub { $one->('/off') == 204 }) };
my $held = sub () { ($w->tool('zones'))[1] =~ /plan-conn\s+plans\b.*keys=(\d+)/ ? $1 : 'none' };

my @held = map { $w->client->send_request('GET', "/?who=a&held=a") } 1 .. 3;
$origin->wait_requests(3);
is $one->('/?who=a'), 429, 'three are under way';
Weir::Store::reload($w);
is $one->('/?who=a'), 429, 'and after a reload, too';
$tool->('plan', 'remove', 'free');
like $one->('/?who=a'), qr/^(?:403|503)$/, 'a plan that is not there any more allows nothing';
$w->pass('go a');
is $_->read_response->status, 200, 'what it had let in ends well' for @held;
$w->wait_until('nothing is held', sub { $held->() eq '0' });
$tool->('plan', 'add', 'free', 'month=10', 'rate=1r/m', 'burst=19', 'concurrency=3');
$held[0] = $w->client->send_request('GET', "/?who=a&held=b");
$origin->wait_requests(4);
kill KILL => $w->workers;
$w->wait_until('nothing is held', sub { $held->() eq '0' });
$serves->();
$held[0]->close;
is_deeply [ map { $one->('/?who=a') } 1 .. 8 ], [ (200) x 6, (429) x 2 ], 'four were counted before, and six are left of ten';
$w->pass('go b');

is_deeply [ map { $one->('/?who=rate') } 1 .. 11 ], [ (200) x 10, 429 ], 'ten of another';
$tool->('store', 'flush');
Weir::Store::kill_all($w);
$w->start;
$serves->();
is $one->('/?who=a'), 429, 'after a kill of everything the quota is used up still';
$tool->('plan', 'set', 'free', 'month=none', 'concurrency=none');
my $n = 0;
$n++ while $one->('/?who=rate') == 200;
ok $n == 9 || $n == 10, "and the rate goes on: of twenty about ten are left (here $n)";
done_testing;
