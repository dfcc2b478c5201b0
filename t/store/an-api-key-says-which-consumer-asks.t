# api_key: the key that a client sends is looked up in the store; what is wrong with it has a cause; its consumer is a variable.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an api key says which consumer asks')->needs_weir;
my $origin = $w->echo_origin;
my $tool   = sub (@words) { $w->tool(@words) };
my $new    = sub (@words) { my ($code, $said) = $tool->('key', 'create', @words); die $said if $code; $said =~ /^(weir_\S+)$/m; $1 };
$w->conf(<<"END", main => "store_path store;\n", workers => 2);
http {
    log_format who '\$consumer|\$consumer_plan|\$api_key_id|\$consumer_quota_hour|\$consumer_quota_day|\$consumer_quota_month|\$weir_cause';
    access_log logs/access.log who;
    proxy_set_header X-Consumer \$consumer;
    api_key \$http_x_api_key \$arg_key;
    server {
        location / { proxy_pass http://$origin; }
        location /free { api_key off; proxy_pass http://$origin; }
        location /maybe { api_key_optional on; proxy_pass http://$origin; }
        location /dry { api_key_dry_run on; proxy_pass http://$origin; }
        location /realm { api_key_realm "a b"; proxy_pass http://$origin; }
    }
}
END
is +($tool->('plan', 'add', 'gold', 'hour=10', 'month=1000'))[0], 0, 'a plan, before anything runs';
is +($tool->('consumer', 'add', 'acme', 'plan=gold'))[0], 0, 'a consumer';
my $good = $new->('acme', 'label=of the test');
$w->start;
my $other = $new->('acme');
my $old   = $new->('acme', 'expires=1s');
my $past  = time + 1;
my $ask   = sub ($path, $key = undef) { $w->get($path, defined $key ? ('X-API-Key' => $key) : ()) };

my $answer = $ask->('/', $good);
is $answer->status, 200, 'one of before the start is good';
is $w->seen($answer)->header('X-Consumer'), 'acme', 'and says who asks';
is $ask->('/', $other)->status, 200, 'one that was made while it runs, at once';
is $w->get("/?key=$good")->status, 200, 'the second place is looked at when the first is empty';
is $ask->('/maybe', $good)->status, 200, 'where it is optional';
is $w->seen($w->get('/maybe'))->header('X-Consumer'), undef, 'none passes there, as nobody';
is $w->get('/free')->status, 200, 'where no key is asked for';
is $w->get('/dry')->status, 200, 'a rehearsal refuses nobody';
$w->wait_until('the old key has expired', sub { time > $past });
for my $case ([401, 'auth.key.missing'], [401, 'auth.key.unknown', 'no'], [401, 'auth.key.unknown', substr $good, 0, -1],
    [401, 'auth.key.unknown', "${good}a"], [401, 'auth.key.unknown', uc $good], [401, 'auth.key.expired', $old]) {
    my ($status, $cause, @key) = @$case;
    $answer = $ask->('/', @key);
    is $answer->status, $status, "$cause: $status";
    is $answer->header('WWW-Authenticate'), 'Key realm="api"', 'which says what is asked for';
    $w->wait_for_access(qr/\Q$cause\E/);
}
is $ask->('/maybe', 'wrong')->status, 401, 'a wrong one is refused where it is optional too';
is $w->get('/realm')->header('WWW-Authenticate'), 'Key realm="a b"', 'the realm is what was said';

is +($tool->('consumer', 'set', 'acme', 'disabled=on'))[0], 0, 'the consumer is disabled';
is $ask->('/', $good)->status, 403, 'at once';
$w->wait_for_access(qr/^-\|-\|[0-9a-f]{16}\|-\|-\|-\|auth\.consumer\.disabled$/m);
is +($tool->('consumer', 'set', 'acme', 'disabled=off'))[0], 0, 'and enabled again';
is $ask->('/', $good)->status, 200, 'at once';
$w->wait_for_access(qr/^acme\|gold\|[0-9a-f]{16}\|10\|-\|1000\|-$/m);

my ($id) = ($tool->('key', 'list', 'acme'))[1] =~ /^([0-9a-f]{16}) acme .* of the test$/m;
ok $id, 'the key is listed by its id';
is +($tool->('key', 'revoke', $id))[0], 0, 'it is revoked';
is $ask->('/', $good)->status, 401, 'at once' for 1 .. 4;
is $ask->('/', $other)->status, 200, 'another is good still';
is +($tool->('consumer', 'remove', 'acme'))[0], 0, 'the consumer is removed';
is $ask->('/', $other)->status, 401, 'with its keys';
unlike $w->error_log, qr/\Q$other\E/, 'a key from a header is in no log';

for my $case ([qr/"api_key" looks keys up in the store: it needs "store_path"/, ''], [qr/"api_key_realm" must be ASCII/, q{api_key_realm 'a"b';}]) {
    my ($complaint, $more) = @$case;
    my $wrong = Weir::Test->new('wrong')->allow_log(qr{\[emerg\]});
    my ($code, $said) = $wrong->check_conf("server { $more api_key \$arg_k; }", main => $more eq '' ? '' : "store_path store;\n");
    is $code, 1, 'refused';
    like $said, $complaint, 'and told why';
}

done_testing;
