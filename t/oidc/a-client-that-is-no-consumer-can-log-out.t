# The redirect_uri and logout_uri of a provider are answered before identify has its say: who has logged in and is nobody's consumer can leave, and
# log in as somebody else.
use v5.36;
use lib 't/lib';
use Weir::Oidc;
use Weir::Test;

my $w = Weir::Test->new('a client that is no consumer can log out')->needs_weir;
$w->allow_log(qr/auth\./);
my $op = Weir::Oidc->new($w);
my $origin = $w->echo_origin;
$w->conf(<<"END", main => "store_path store;\n", workers => 1);
http {
    oidc_provider op { @{[ $op->lines('logout_uri /logout; post_logout_uri /bye;') ]} }
    server {
        auth_oidc op;
        identify oidc \$oidc_claim_sub;
        proxy_set_header X-Consumer \$consumer;
        location / { proxy_pass http://$origin; }
    }
}
END
my ($code, $said) = $w->tool(qw(consumer add acme identity=oidc:alice));
is "$code$said", '0', 'a consumer';
$op->set(claims => { sub => 'bob' });
my $b = Weir::Oidc::Browser->new($w);
is $b->clone->login->status, 403, 'who is nobody\'s consumer';
$b->login;
ok $b->jar->{weir_oidc_op}, 'has a session';
my $out = $b->get('/logout');
is $out->status, 302, 'the logout is answered';
is join(' ', keys $b->jar->%*), '', 'and the session is over';
$op->set(claims => {});
is $w->seen($b->login)->header('X-Consumer'), 'acme', 'a login as somebody else';
done_testing;
