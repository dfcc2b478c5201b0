# logout_uri: the cookies go, all workers know it, the provider's logout is next, with what it is told; without a provider it ends all the same.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Oidc;

my $w = Weir::Test->new('logout ends the session everywhere');
$w->needs_weir;
$w->allow_log(qr/auth\.oidc|could not be fetched/);
my $op = Weir::Oidc->new($w);
my $plain = Weir::Oidc->new($w);
$plain->set(discovery => { end_session_endpoint => undef });
my $conf = sub ($more) { <<"END" };
    oidc_provider op { @{[ $op->lines("logout_uri /logout; $more") ]} }
    oidc_provider plain { @{[ $plain->lines('logout_uri /plain/out; redirect_uri /plain/cb; post_logout_uri /bye;') ]} }
    oidc_provider bare { @{[ $plain->lines('logout_uri /bare/out; redirect_uri /bare/cb;') ]} }
    server {
        auth_oidc op;
        location /plain { auth_oidc plain; add_header X-Sub \$oidc_claim_sub; empty_gif; }
        location /bare { auth_oidc bare; empty_gif; }
        large_client_header_buffers 4 32k;
        location / { add_header X-Sub \$oidc_claim_sub; empty_gif; }
        location /bye { auth_oidc off; return 200 bye; }
    }
END
$w->conf($conf->('post_logout_uri /bye; logout_token_hint on;'), workers => 2);
$op->set(access => 'x' x 5000);
my $in = sub { my $b = Weir::Oidc::Browser->new($w); is $b->login->header('X-Sub'), 'alice', 'in'; $b };
my $b = $in->();
my $copy = $b->clone;
my $answer = $b->get('/logout');
is $answer->status, 302, 'to the provider';
my ($at, $query) = split /\?/, scalar $answer->header('Location'), 2;
my %said = Weir::Oidc::form($query);
is $at, $op->issuer . '/logout', 'its address';
is "$said{client_id}|$said{post_logout_redirect_uri}", 'weir|http://localhost/bye', 'who asks, and where to come back to';
is scalar(() = $said{id_token_hint} =~ /\./g), 2, 'the id token';
is $answer->header('Cache-Control'), 'no-store', 'nobody keeps that';
is join(' ', keys $b->jar->%*), '', 'no cookie is left';
is $b->get('/')->status, 302, 'out';
is $copy->get('/')->status, 302, "who has a copy of the cookies is out, too, $_" for 1 .. 6;
is $copy->get('/bye')->status, 200, 'a page for everybody';
my $none = Weir::Oidc::Browser->new($w)->get('/logout');
is $none->status, 302, 'a logout without a session';
unlike $none->header('Location'), qr/id_token_hint/, 'has no hint';
is $w->request('POST', '/logout', headers => ['Content-Length', 0])->status, 302, 'POST is fine';

$b = $in->();
$copy = $b->clone;
$b->get('/logout');
$w->reload($conf->(''));
is $copy->get('/')->status, 302, 'a reload forgets no logout';
$b = $in->();
unlike $b->get('/logout')->header('Location'), qr/id_token_hint|post_logout/, 'no hint and no way back unless they are wanted';

# A provider without a logout.
$b = Weir::Oidc::Browser->new($w);
is $b->login('/plain/')->header('X-Sub'), 'alice', 'in';
$answer = $b->get('/plain/out');
is $answer->status . ' ' . $answer->header('Location'), '302 http://localhost/bye', 'a provider without a logout: post_logout_uri is next';
is $b->get('/plain/')->status, 302, 'out';
is $b->get('/bare/out')->status, 200, 'without that, a line of text';
done_testing;
