# auth_jwt: a token of each algorithm, where it comes from, what its claims are in variables, what is asked of them.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Jose;

my $w = Weir::Test->new('auth_jwt lets in a client with a good token');
$w->needs_weir;
my %key = map { $_ => Weir::Jose->key($w, $_, kid => $_) } qw(HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA);
my $enc = Weir::Jose->secret('0123456789abcdefghijklmnopqrstuv', kid => 'enc', dir => $w->dir, more => { use => 'enc' });
my $write = sub ($name, $text) { open my $out, '>', $w->dir . "/conf/$name" or die $!; print $out $text };
mkdir $w->dir . '/conf';
$write->('secrets.json', Weir::Jose->set(map { $key{$_} } grep { /^HS/ } sort keys %key));
$write->('public.json', Weir::Jose->set(map { $key{$_} } grep { !/^HS/ } sort keys %key));
$write->('enc.json', Weir::Jose->set($enc));
my $origin = $w->echo_origin;
$w->conf(<<"END", main => "recorder_requests 64;\n");
    auth_jwt_claim_set \$city address city;
    auth_jwt_claim_set \$roles realm_access roles;
    auth_jwt_claim_set \$dotted "a.b";
    auth_jwt_claim_set \$none no such;
    auth_jwt_header_set \$alg alg;
    log_format j '\$uri \$args \$jwt_claim_sub';
    access_log logs/j.log j;
    server {
        auth_jwt "the api";
        auth_jwt_key_file secrets.json;
        auth_jwt_key_file public.json;
        location / { add_header X-Out "\$jwt_claim_sub|\$jwt_claim_n|\$jwt_claim_yes|\$jwt_claim_list|\$jwt_claim_userid|\$city|\$roles|\$dotted|\$none|\$alg|\$jwt_header_kid"; empty_gif; }
        location /payload { add_header X-Out \$jwt_payload; empty_gif; }
        location /arg { auth_jwt "the api" token=\$arg_token; add_header X-Out \$jwt_claim_sub; empty_gif; }
        location /cookie { auth_jwt "the api" token=\$cookie_jwt; add_header X-Out \$jwt_claim_sub; empty_gif; }
        location /off { auth_jwt off; add_header X-Out "free\$jwt_claim_sub"; empty_gif; }
        location /proxied { proxy_set_header X-User \$jwt_claim_sub; proxy_pass http://$origin; }
        location /rewritten { rewrite ^ /inside last; }
        location /inside { auth_jwt off; add_header X-Out "inside\$jwt_claim_sub"; empty_gif; }
        location /admin { auth_jwt_require \$jwt_claim_admin \$jwt_claim_sub error=403; add_header X-Out ok; empty_gif; }
        location /two { auth_jwt_require \$jwt_claim_admin; auth_jwt_require \$jwt_claim_other error=403; add_header X-Out ok; empty_gif; }
        location /iss { auth_jwt_issuer https://a https://b; add_header X-Out ok; empty_gif; }
        location /aud { auth_jwt_audience one two; add_header X-Out ok; empty_gif; }
        location /only { auth_jwt_algorithms RS256 ES256; add_header X-Out ok; empty_gif; }
        location /late { auth_jwt_leeway 30s; add_header X-Out ok; empty_gif; }
        location /any { satisfy any; deny all; add_header X-Out ok; empty_gif; }
        location /both { deny all; add_header X-Out ok; empty_gif; }
        location /encrypted { auth_jwt_type encrypted; auth_jwt_key_file enc.json; add_header X-Out "\$jwt_claim_sub|\$jwt_payload|\$alg"; empty_gif; }
        location /nested { auth_jwt_type nested; auth_jwt_key_file enc.json; auth_jwt_key_file public.json; add_header X-Out "\$jwt_claim_sub|\$alg"; empty_gif; }
    }
END
my $get = sub ($path, $token = undef) { $w->get($path, defined $token ? (Authorization => "Bearer $token") : ()) };
my $now = time;
for my $alg (sort keys %key) {
    my $token = $key{$alg}->token({ sub => "of $alg", exp => $now + 600 });
    is $get->('/', $token)->header('X-Out'), "of $alg|||||||||$alg|$alg", $alg;
    is $get->('/', $token)->header('X-Out'), "of $alg|||||||||$alg|$alg", "$alg once more";
    my $bad = $token =~ s/\.(.)([^.]*)$/'.' . ($1 eq 'A' ? 'B' : 'A') . $2/er;
    is $get->('/', $bad)->status, 401, "$alg with another signature";
}
my $rich = $key{RS256}->token({ sub => 'alice', n => 1.5, yes => JSON::PP::true(), list => [ 'a', 'b', 3 ], userId => 'u7', 'a.b' => 'dot', address => { city => 'Ulm' },
    realm_access => { roles => [qw(admin dev)] }, exp => $now + 600, iss => 'https://b', aud => [qw(x two)], admin => 1, other => 0 });
my $poor = $key{RS256}->token({ sub => 'bob', exp => $now + 600, iss => 'https://c', aud => 'three', admin => '0' });
is $get->('/', $rich)->header('X-Out'), 'alice|1.5|true|a,b,3|u7|Ulm|admin,dev|dot||RS256|RS256', 'claims in variables';
is $get->('/', $rich)->header('X-Out'), 'alice|1.5|true|a,b,3|u7|Ulm|admin,dev|dot||RS256|RS256', 'the same of a token that is known';
like $get->('/payload', $poor)->header('X-Out'), qr/^\{.*"sub":"bob".*\}$/, '$jwt_payload';
is $get->("/arg?token=$poor")->header('X-Out'), 'bob', 'in an argument';
is $w->get('/cookie', Cookie => "jwt=$poor")->header('X-Out'), 'bob', 'in a cookie';
is $w->get('/', Authorization => "bearer  $poor ")->status, 200, 'the scheme in any case';
is $get->('/off')->header('X-Out'), 'free', 'off';
like $get->('/proxied', $rich)->body, qr/\["X-User","alice"\]/, 'the peer is told';
is $get->('/rewritten')->header('X-Out'), 'inside', 'a place without';
is join(' ', map { $get->('/admin', $_)->status } $rich, $poor), '200 403', 'auth_jwt_require';
is join(' ', map { $get->('/two', $_)->status } $rich, $poor), '403 401', 'each with its status';
is join(' ', map { $get->("/$_->[0]", $_->[1])->status } [ iss => $rich ], [ iss => $poor ], [ aud => $rich ], [ aud => $poor ]), '200 401 200 401', 'issuer and audience';
is join(' ', map { $get->('/only', $key{$_}->token({}))->status } qw(RS256 ES256 PS256 HS256)), '200 200 401 401', 'algorithms';
my @late = map { $key{HS256}->token($_) } { exp => $now - 10 }, { exp => $now - 40 }, { nbf => $now + 10 }, { nbf => $now + 600 };
is join(' ', map { $get->('/', $_)->status } @late), '401 401 401 401', 'times';
is join(' ', map { $get->('/late', $_)->status } @late), '200 401 200 401', 'leeway';
is join(' ', map { $get->('/any', $_)->status } $rich, 'x.y.z'), '200 401', 'satisfy any';
is $get->('/both', $rich)->status, 403, 'satisfy all';
my $json = qq({"sub":"sealed","exp":@{[ $now + 60 ]}});
is $get->('/encrypted', $enc->encrypted($json))->header('X-Out'), "sealed|$json|dir", 'encrypted';
is $get->('/encrypted', $rich)->status, 401, 'a signed one is not encrypted';
is $get->('/nested', $enc->encrypted($rich, header => { cty => 'JWT' }))->header('X-Out'), 'alice|dir', 'nested';
is $get->('/nested', $enc->encrypted($rich =~ s/.$/_/r, header => { cty => 'JWT' }))->status, 401, 'nested, with another signature';
my $client = $w->client;
is $client->get('/', Authorization => "Bearer $rich")->status, 200, "kept alive, $_" for 1 .. 3;
$w->wait_for_access(qr{^/arg}m, 'j.log');
unlike $w->access_log('j.log'), qr/eyJ/, 'a token in the query is not logged';
like $w->access_log('j.log'), qr/^\/arg token=\*+ bob$/m, 'but asterisks';
done_testing;
