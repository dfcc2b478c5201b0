# Directives of OAuth 2.0: what is wrong with one is said with its line and what would be right.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('oauth2 is checked when it is read')->needs_weir;
$w->allow_log(qr/\[emerg\]/);
$w->write_file('conf/secret', "s\n");
$w->write_file('conf/empty', "\n");
$w->write_file('conf/two', "a\nb\n");
my $all = 'oauth2 x; oauth2_introspection http://127.0.0.1:1/; oauth2_introspection_client weir secret_file=secret;';
my $check = sub ($text) { $w->check_conf("server { location / { $text empty_gif; } }") };
is +($check->($all))[0], 0, 'it is right';
is +($check->("$all oauth2_introspection_cache zone=a:1m max=5s negative=0; oauth2_scope a b; oauth2_issuer i; oauth2_audience a;"))[0], 0, 'with all there is';
for my $case (
    [ 'oauth2 x;', qr/"oauth2" has no "oauth2_introspection" here/ ],
    [ 'oauth2 x; oauth2_introspection http://127.0.0.1:1/;', qr/has no "oauth2_introspection_client" here/ ],
    [ 'oauth2 x token=y;', qr/token=\$variable/ ],
    [ 'oauth2_introspection /place;', qr/an http:\/\/ or https:\/\/ address/ ],
    [ 'oauth2_introspection http://a/ timeout=0;', qr/timeout=time \(up to 60s\)/ ],
    [ 'oauth2_introspection http://a/ trusted_certificate=x;', qr/timeout=time \(up to 60s\)/ ],
    [ 'oauth2_introspection https://a/ x;', qr/or trusted_certificate=file/ ],
    [ 'oauth2_introspection_client a method=basic;', qr/must have "secret_file=file"/ ],
    [ 'oauth2_introspection_client a secret_file=secret method=jwt;', qr/method=basic or method=post/ ],
    [ 'oauth2_introspection_client a secret_file=nothing;', qr/nothing/ ],
    [ 'oauth2_introspection_client a secret_file=empty;', qr/must have one line/ ],
    [ 'oauth2_introspection_client a secret_file=two;', qr/must have one line/ ],
    [ 'oauth2_introspection_cache max=1s;', qr/must have "zone=name:size"/ ],
    [ 'oauth2_introspection_cache zone=a:1k;', qr/from 64k to 4g/ ],
    [ 'oauth2_introspection_cache zone=a:1m max=2d;', qr/up to 1d/ ],
    [ 'oauth2_scope "a b";', qr/names of scopes/ ],
    [ "$all oauth2_introspection_cache zone=a:1m; } location /b { $all oauth2_introspection_cache zone=a:2m;", qr/the zone "a" has another size in another line/ ],
) {
    my ($text, $complaint) = @$case;
    my ($code, $said) = $check->($text);
    isnt $code, 0, $text;
    like $said, $complaint, '… and why';
    like $said, qr/weir\.conf:\d+|\S+\.conf:\d+/, '… and where';
}
done_testing;
