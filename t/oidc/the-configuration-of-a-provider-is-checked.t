# What may stand in oidc_provider, and what is told of what may not.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('the configuration of a provider is checked');
$w->needs_weir;
$w->allow_log(qr/\[emerg\]/);
mkdir $w->dir . '/conf';
my $write = sub ($name, $text) { open my $out, '>', $w->dir . "/conf/$name" or die $!; print $out $text; close $out };
$write->('good', 'x' x 32 . "\n");
$write->('short', "x\n");
$write->('empty', "# nothing\n");
my $server = 'server { location / { auth_oidc p; } }';
my $told = sub ($lines, $more = $server) {
    my ($code, $said) = $w->check_conf("oidc_provider p { $lines }\n$more");
    return $code ? $said : 'good';
};
my $base = 'issuer http://127.0.0.1:1; client_id x;';
is $told->($base), 'good', 'an issuer and a client';
is $told->("$base client_secret y; client_auth client_secret_post; config_url http://127.0.0.1:2/x; token_endpoint http://127.0.0.1:3/t; jwks_uri http://127.0.0.1:3/k;
    redirect_uri https://app.example/cb; logout_uri /out; post_logout_uri https://app.example/; logout_token_hint on; pkce off; scope openid 'email profile';
    extra_auth_args 'prompt=login&a=%20'; cookie_name s_1-x; cookie_max_size 20k; session_key_file good; session_timeout 1h; session_lifetime 1d; login_timeout 5m;
    refresh_before 0; id_token_algorithms RS256 EdDSA;"), 'good', 'all lines';
my @wrong = (
    'client_id x;'                            => qr/"oidc_provider" "p" has no "issuer" in .*:\d+/,
    'issuer http://127.0.0.1:1;'              => qr/has no "client_id" in .*:\d+/,
    "$base client_id y;"                      => qr/"client_id" is said twice/,
    "$base client_ids y;"                     => qr/unknown line "client_ids" in "oidc_provider", did you mean "client_id"\?/,
    "$base scope email;"                      => qr/"scope" in "oidc_provider" needs "openid"/,
    "$base scope 'openid a\"b';"              => qr/RFC 6749/,
    "$base extra_auth_args 'state=x';"        => qr/"extra_auth_args" may not have "state"/,
    "$base extra_auth_args 'a b';"            => qr/arguments of a query/,
    "$base redirect_uri cb;"                  => qr/a path of this site/,
    "$base redirect_uri //cb;"                => qr/a path of this site/,
    "$base redirect_uri http://a;"            => qr/a path of this site/,
    "$base logout_uri /oidc_callback;"        => qr/are the same/,
    "$base post_logout_uri bye;"              => qr/a path of this site/,
    "$base cookie_name 'a b';"                => qr/letters, digits/,
    "$base cookie_name __Host-x;"             => qr/letters, digits/,
    "$base cookie_max_size 1m;"               => qr/a size from 1k to 33k/,
    "$base session_timeout 0;"                => qr/a time from one second/,
    "$base session_key_file none;"            => qr/none" failed \(2: No such file/,
    "$base session_key_file short;"           => qr/line 1 has 1 characters: a secret has 32 to 512/,
    "$base session_key_file empty;"           => qr/it has no secret/,
    "$base id_token_algorithms HS256;"        => qr/RS256, PS256/,
    "$base id_token_algorithms none;"         => qr/RS256, PS256/,
    "$base pkce off;"                         => qr/"pkce off" and no "client_secret"/,
    "$base pkce maybe;"                       => qr/"on" or "off"/,
    "$base client_auth none;"                 => qr/client_secret_basic/,
    "$base issuer;"                           => qr/"issuer" in "oidc_provider" takes: URL/,
    'issuer ftp://x; client_id x;'            => qr/the provider's https:\/\/ address/,
    'issuer http://x/?y; client_id x;'        => qr/the provider's https:\/\/ address/,
);
while (my ($lines, $want) = splice @wrong, 0, 2) {
    like $told->($lines), $want, $lines =~ s/\Q$base\E //r;
}
like $told->($base, 'server { location / { auth_oidc q; } }'), qr/there is no "oidc_provider" "q" in "http" in .*:\d+/, 'a provider that is not there';
like $told->($base, "oidc_provider p { $base }"), qr/there is an "oidc_provider" "p" already/, 'two of one name';
like $told->("$base cookie_name c;", "oidc_provider q { $base cookie_name c; }"), qr/has the "cookie_name" of "p"/, 'two with one cookie';
like $told->($base, "oidc_provider off { $base }"), qr/other than "off"/, 'one that is called off';
like $told->($base, "server { oidc_provider q { $base } }"), qr/"oidc_provider" directive is not allowed here/, 'in a server';
done_testing;
