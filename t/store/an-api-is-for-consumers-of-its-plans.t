# plans of an api: a consumer of another plan is refused, also where something else would let it in.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an api is for consumers of its plans')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
my $new    = sub (@words) { my ($code, $said) = $w->tool('key', 'create', @words); die $said if $code; $said =~ /^(weir_\S+)$/m; $1 };
$w->allow_log(qr/cause: (?:api\.plan|auth\.key)/);
$w->conf(<<"END", main => "store_path store;\n", workers => 2);
http {
    add_header X-Cause \$weir_cause always;
    api paid { plans gold silver; version 1; }
    api tried { plans gold dry_run; version 1; }
    api_key \$http_x_api_key;
    server {
        location /paid { api paid 1; proxy_pass http://$origin; }
        location /maybe { api paid 1; api_key_optional on; proxy_pass http://$origin; }
        location /any { api paid 1; satisfy any; allow 127.0.0.1; deny all; proxy_pass http://$origin; }
        location /tried { api tried 1; proxy_pass http://$origin; }
        location /place { api paid 1; dry_run on; proxy_pass http://$origin; }
    }
}
END
$w->tool('plan', 'add', $_) for qw(gold silver bronze);
my %key;
for my $plan (qw(gold silver bronze)) {
    $w->tool('consumer', 'add', "of-$plan", "plan=$plan");
    $key{$plan} = $new->("of-$plan");
}
$w->tool('consumer', 'add', 'of-none');
$key{none} = $new->('of-none');
$w->start;
my $say = sub ($path, $who = undef) { my $a = $w->get($path, defined $who ? ('X-API-Key' => $key{$who}) : ()); $a->status . ' ' . ($a->header('X-Cause') // '-') };

is $say->('/paid', $_), '200 -', "$_ is let in" for qw(gold silver);
is $say->('/paid', $_), '403 api.plan', "$_ is not" for qw(bronze none);
is $say->('/paid'), '401 auth.key.missing', 'who sends no key is asked for one';
is $say->('/maybe'), '403 api.plan', 'where none is needed, nobody has no plan';
is $say->('/maybe', 'gold'), '200 -', 'and who sends one has his';
is $say->('/any', 'gold'), '200 -', 'satisfy any: one with the plan';
is $say->('/any'), '200 -', 'one that its address lets in';
is $say->('/any', 'bronze'), '403 api.plan', 'but a consumer of another plan is refused all the same';
is $say->('/tried', 'bronze'), '200 -', 'dry_run refuses nobody';
$w->wait_for_log(qr/dry run.*cause: api\.plan/);
is $say->('/place', 'bronze'), '200 -', 'nor does a rehearsal of the place';
is +($w->tool('consumer', 'set', 'of-bronze', 'plan=gold'))[0], 0, 'a consumer gets another plan';
is $say->('/paid', 'bronze'), '200 -', 'and is let in at once';
done_testing;
