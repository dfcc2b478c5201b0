# auth_oidc: to the provider with state, nonce and PKCE; back with a code; the session in a cookie that nobody reads; what the peer gets.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Oidc;

my $w = Weir::Test->new('a browser logs in and comes back');
$w->needs_weir;
my $op = Weir::Oidc->new($w);
my $origin = $w->echo_origin;
$op->set(claims => { email => 'alice@example.org', groups => [qw(a b)] }, at_hash => 1);
$w->conf(<<"END", workers => 2);
    oidc_provider op { @{[ $op->lines('scope openid email; extra_auth_args "prompt=login&x=1";') ]} }
    log_format all '\$request|\$oidc_claim_sub';
    access_log logs/all.log all;
    server {
        auth_oidc op;
        location / { add_header X-Sub "\$oidc_claim_sub|\$oidc_claim_email|\$oidc_claim_groups|\$oidc_claim_none"; empty_gif; }
        location /app { proxy_set_header Authorization "Bearer \$oidc_access_token"; proxy_set_header X-User \$oidc_claim_sub; proxy_pass http://$origin; }
        location /free { auth_oidc off; proxy_pass http://$origin; }
        location /freely { auth_oidc off; add_header X-Sub "[\$oidc_claim_sub]"; empty_gif; }
    }
END
my $b = Weir::Oidc::Browser->new($w);
my $first = $b->get('/deep/page?a=1&b=%2F', 'Accept', 'text/html');
is $first->status, 302, 'who has no session is sent to the provider';
my $location = $first->header('Location');
my %ask = Weir::Oidc::form($location =~ s/^[^?]*\?//r);
like $location, qr{^\Q@{[ $op->issuer ]}\E/authorize\?response_type=code&}, 'at its address';
is $ask{client_id}, 'weir', 'client_id';
is $ask{scope}, 'openid email', 'scope';
is $ask{redirect_uri}, 'http://localhost/oidc_callback', 'redirect_uri';
is "$ask{prompt}|$ask{x}", 'login|1', 'extra_auth_args';
like join('|', @ask{qw(state nonce code_challenge code_challenge_method)}), qr/^[\w-]{43}\|[\w-]{43}\|[\w-]{43}\|S256$/, 'state, nonce, PKCE';
is $first->header('Cache-Control'), 'no-store', 'nobody keeps that';
like $first->header('Set-Cookie'), qr{^weir_oidc_op-login\.[\w-]{12}=[\w-]+; Path=/; Max-Age=600; HttpOnly; SameSite=Lax$}, 'a cookie for this login';
unlike $first->header('Set-Cookie'), qr/\Q$ask{nonce}\E|deep/, 'which says nothing';

my $back = $b->get(Weir::Oidc::Browser::path_of($b->at_provider($location)));
is $back->status, 302, 'back with a code';
is $back->header('Location'), 'http://localhost/deep/page?a=1&b=%2F', 'and on to the page that was wanted';
is $back->header('Cache-Control'), 'no-store', 'nobody keeps that either';
is join(' ', sort keys $b->jar->%*), 'weir_oidc_op', 'the login is over, the session begins';
my ($asked) = $op->asked;
is "$asked->{grant_type}|$asked->{client}|$asked->{redirect_uri}", "authorization_code|weir:top secret+%|$ask{redirect_uri}", 'the token endpoint was asked';
is $op->asked, 1, 'once';

is $b->get('/')->header('X-Sub'), 'alice|alice@example.org|a,b|', "claims in variables, $_" for 1 .. 4;
like $b->get('/app')->body, qr/\["Authorization","Bearer at-/, 'the peer gets the access token where that is said';
my $echo = $b->get('/app', 'Cookie', 'mine=1; other="x"')->body;
like $echo, qr/mine=1; other=/, 'the peer gets cookies';
unlike $echo, qr/weir_oidc/, 'but not ours';
like $echo, qr/\["X-User","alice"\]/, 'and who it is';
unlike $b->get('/free')->body, qr/weir_oidc/, 'not even where nobody is asked';
unlike $b->get('/free')->body, qr/Cookie/, 'with nothing left there is no Cookie';
is $b->get('/freely')->header('X-Sub'), '[]', 'variables are empty where nobody is asked';
is $w->get('/')->status, 302, 'another browser is nobody';
my $log = Weir::Server::slurp($w->dir . '/logs/all.log');
like $log, qr{GET /oidc_callback\?code=\*+&state=\*+ HTTP/1\.1\|}, 'no log has the code';
like $log, qr{GET / HTTP/1\.1\|alice$}m, 'a log may say who it was';
done_testing;
