# plan_limit: rate and burst, requests under way, and quotas of the client's plan; what one refuses costs nothing in another; a plan that
# is changed holds at once and forgets nothing; who has none.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Store;
use Weir::Test;

my $w = Weir::Test->new('plan_limit applies the plan of a client')->needs_weir;
Weir::Store::not_at_the_end_of_a_month();
my $origin = $w->origin(sub ($c) { $c->wait_for("go $1") if $c->request->target =~ /held=(\w+)/; $c->reply(200, 'ok') });
$w->allow_log(qr/limit\.plan|plan "/);
$w->conf(<<"END", main => "store_path store;\n", workers => 4);
http {
    plan_limit_zone plans:1m;
    plan_limit_zone other:64k timezone=Europe/Berlin;
    log_format main "\$request_uri \$status \$plan_limit_status \$weir_cause";
    access_log logs/access.log main;
    server {
        api_key \$arg_key; api_key_optional on;
        plan_limit zone=plans;
        location / { proxy_pass http://$origin; }
        location /told { plan_limit_headers on; proxy_pass http://$origin; }
        location /scope { plan_limit zone=plans scope=\$arg_scope; proxy_pass http://$origin; }
        location /other { plan_limit zone=other; plan_limit_status 503; proxy_pass http://$origin; }
        location /off { plan_limit off; proxy_pass http://$origin; }
        location /need { plan_limit_require on; proxy_pass http://$origin; }
        location /anonymous { anonymous plan=free key=\$arg_who; plan_limit_require on; proxy_pass http://$origin; }
        location /elsewhere { anonymous plan=free2 key=\$arg_who; proxy_pass http://$origin; }
        location /dry { plan_limit_dry_run on; plan_limit_headers on; proxy_pass http://$origin; }
        location /denied { deny all; proxy_pass http://$origin; }
        location /any { satisfy any; deny all; api_key_optional off; anonymous plan=free key=\$arg_who; proxy_pass http://$origin; }
        location /again { error_page 404 = /anonymous; return 404; }
        location /redirect { try_files /none \@there; }
        location \@there { proxy_pass http://$origin; }
        location /statistics { api_key off; plan_limit off; status; }
    }
}
END
my $tool = sub (@words) { my ($code, $said) = $w->tool(@words); is $code, 0, "weir @words[0, 1, 2]" or diag $said; $said };
my %key;
my $consumer = sub ($name, @plan) {
    $tool->('plan', 'add', $name, @plan) if @plan;
    $tool->('consumer', 'add', $name, @plan ? "plan=$name" : ());
    ($key{$name}) = $tool->('key', 'create', $name) =~ /^(weir_\S+)$/m;
};
$tool->('plan', 'add', 'free', 'month=3');
$tool->('plan', 'add', 'free2', 'month=1');
$consumer->('rate', 'rate=1r/m', 'burst=4');
$consumer->('many', 'concurrency=2', 'month=6');
$consumer->('quota', 'hour=20', 'day=10', 'month=5', 'rate=1000r/s', 'burst=1000');
$consumer->('all', 'rate=1r/m', 'burst=9', 'concurrency=100', 'month=4');
$consumer->('scoped', 'month=2');
$consumer->('dry', 'month=1');
$consumer->('none');
$w->start;

my $status = sub ($target) { $w->get($target)->status };
my $all = sub ($n, $target) {
    my @clients = map { $w->client->send_request('GET', $target) } 1 .. $n;
    my %is;
    $is{ $_->read_response->status }++ for @clients;
    $_->close for @clients;
    return \%is;
};
my $cause = sub ($target) { my $line = $w->wait_for_access(qr{^\Q$target\E (\d+ \S+ \S+)$}m); $line };

is_deeply $all->(40, "/?key=$key{rate}"), { 200 => 5, 429 => 35 }, 'a rate and its burst, over four workers exactly';
ok defined $w->wait_for_access(qr/ 429 REJECTED limit\.plan\.rate$/m), 'its cause';
$tool->('plan', 'set', 'rate', 'burst=7');
is_deeply $all->(20, "/?key=$key{rate}"), { 200 => 3, 429 => 17 }, 'three more when the plan allows them, at once';
$tool->('plan', 'set', 'rate', 'rate=2r/m', 'burst=9');
is_deeply $all->(20, "/?key=$key{rate}"), { 200 => 2, 429 => 18 }, 'at another rate what was counted is as many requests';

my @held = map { $w->client->send_request('GET', "/?key=$key{many}&held=a") } 1, 2;
$w->wait_until('two are under way', sub { (() = ($w->tool('zones'))[1] =~ /keys=1/g) >= 2 && $w->get("/?key=$key{many}")->status == 429 });
ok defined $w->wait_for_access(qr/ 429 REJECTED limit\.plan\.concurrency$/m), 'a third one under way is refused';
$w->pass('go a');
$_->read_response for @held;
$w->wait_until('they have ended', sub { $w->get("/off?key=$key{many}")->status == 200 && ($w->tool('zones'))[1] !~ /plan-conn\s+plans\b.*keys=1/ });
is_deeply $all->(1, "/?key=$key{many}"), { 200 => 1 }, 'then it is not';
my $left = 0;
$left++ while $status->("/?key=$key{many}") == 200;
is $left, 3, 'those that were refused cost nothing of the quota';

is_deeply $all->(30, "/?key=$key{quota}"), { 200 => 5, 429 => 25 }, 'the smallest of the quotas counts';
ok defined $w->wait_for_access(qr/ 429 REJECTED limit\.plan\.quota$/m), 'its cause';
$tool->('plan', 'set', 'quota', 'month=none');
is_deeply $all->(30, "/?key=$key{quota}"), { 200 => 5, 429 => 25 }, 'what it refused cost nothing in the others; without it the next one counts';
is_deeply $all->(4, "/?key=$key{all}"), { 200 => 4 }, 'of all limits together';
is_deeply $all->(30, "/?key=$key{all}"), { 429 => 30 }, '… the smallest';
$tool->('plan', 'set', 'all', 'month=none');
is_deeply $all->(30, "/?key=$key{all}"), { 200 => 6, 429 => 24 }, 'and what a quota refused cost nothing of the rate';

is_deeply $all->(5, "/scope?key=$key{scoped}&scope=$_"), { 200 => 2, 429 => 3 }, "scope $_ has the whole plan" for 'a', 'b', '';
is_deeply $all->(5, "/?key=$key{scoped}"), { 200 => 2, 429 => 3 }, 'and so has who has no scope';
is_deeply $all->(5, "/other?key=$key{scoped}"), { 200 => 2, 503 => 3 }, 'another zone counts for itself, with a status of its own';
is_deeply $all->(5, "/off?key=$key{scoped}"), { 200 => 5 }, 'off';

is_deeply $all->(9, '/'), { 200 => 9 }, 'nobody has no plan';
is_deeply $all->(9, "/?key=$key{none}"), { 200 => 9 }, 'nor has a consumer without one';
is $status->($_), 403, 'unless one is required' for '/need', "/need?key=$key{none}";
ok defined $w->wait_for_access(qr{^/need 403 - limit\.plan\.missing$}m), 'its cause';
is_deeply $all->(9, "/anonymous?who=$_"), { 200 => 3, 429 => 6 }, "anonymous client $_ has a plan of its own" for 1, 2;
is_deeply $all->(3, '/elsewhere?who=1'), { 200 => 1, 429 => 2 }, 'by another plan elsewhere it counts anew';

is_deeply $all->(3, "/denied?key=$key{dry}"), { 403 => 3 }, 'whom another guard refuses';
is_deeply $all->(3, '/any?who=5'), { 401 => 3 }, '… or all of them with satisfy any';
is_deeply $all->(9, '/anonymous?who=5'), { 200 => 3, 429 => 6 }, 'is not counted';
is_deeply $all->(3, "/dry?key=$key{dry}"), { 200 => 3 }, 'a rehearsal refuses nobody';
ok defined $w->wait_for_access(qr/^\/dry.* 200 REJECTED_DRY_RUN -$/m), 'and tells';
is_deeply $all->(3, "/redirect?key=$key{dry}"), { 429 => 3 }, 'but counts';
$tool->('plan', 'set', 'dry', 'month=3');
is_deeply $all->(3, "/redirect?key=$key{dry}"), { 200 => 2, 429 => 1 }, 'a request that is redirected inside counts once';

$tool->('plan', 'add', 'next', 'month=12', 'rate=6r/m', 'burst=20');
$tool->('consumer', 'set', 'scoped', 'plan=next');
my $answer = $w->get("/told?key=$key{scoped}");
like $answer->header('RateLimit-Policy'), qr/^"plans-rate";q=21;w=210, "plans-month";q=12;w=\d+$/, 'the client is told of its limits';
like $answer->header('RateLimit'), qr/^"plans-rate";r=20;t=10, "plans-month";r=9;t=\d+$/, 'and of what is left: another plan forgets nothing';
is $answer->header('Retry-After'), undef, 'not to wait';
$answer = $w->get("/told?key=$key{rate}");
is $answer->status . ' ' . $answer->header('RateLimit-Policy'), '429 "plans-rate";q=10;w=300', 'of a rate that refuses';
ok $answer->header('Retry-After') >= 1 && $answer->header('Retry-After') <= 30, 'when to come again';
is $w->get("/dry?key=$key{scoped}")->header('RateLimit'), undef, 'a rehearsal tells nothing';
my $plans = decode_json($w->get('/statistics')->body)->{plan_limits}{plans};
ok $plans->{passed} > 40 && $plans->{rejected} > 100 && $plans->{rejected_dry_run} == 2, 'the status page has what plan_limit did';
$w->wait_for_log(qr/\[error\].*limiting rate by plan "rate": 1 requests every 60s, client: /);   # 'the log says whom, by which plan and limit';
$w->wait_for_log(qr/limiting quota by plan "quota": 5 of 5 requests of the month/);   # 'of quotas';
done_testing;
