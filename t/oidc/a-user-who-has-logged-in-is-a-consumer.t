# identify oidc $oidc_claim_sub: who has logged in is a consumer of the store, for limits, too; a session that is none names nobody.
use v5.36;
use lib 't/lib';
use Weir::Oidc;
use Weir::Test;

my $w = Weir::Test->new('a user who has logged in is a consumer')->needs_weir;
$w->allow_log(qr/auth\.|limit/);
my $op = Weir::Oidc->new($w);
my $origin = $w->echo_origin;
$w->conf(<<"END", main => "store_path store;\n", workers => 1);
http {
    oidc_provider op { @{[ $op->lines ]} }
    limit_req_zone \$consumer zone=rate:1m rate=1r/m;
    server {
        auth_oidc op;
        identify oidc \$oidc_claim_sub;
        proxy_set_header X-Consumer \$consumer;
        location / { proxy_pass http://$origin; }
        location /limited { limit_req zone=rate; proxy_pass http://$origin; }
    }
}
END
my $tool = sub (@words) { my ($code, $said) = $w->tool(@words); is "$code$said", '0', "@words" };
$tool->(qw(plan add gold day=1000));
$tool->(qw(consumer add acme plan=gold identity=oidc:alice));
my $who = sub ($answer) { $w->seen($answer)->header('X-Consumer') };
my $b = Weir::Oidc::Browser->new($w);
is $who->($b->login), 'acme', 'who has logged in';
is $b->get('/limited')->status, 200, 'limits know who it is';
is $b->get('/limited')->status, 503, 'and count for the consumer';
$op->set(claims => { sub => 'bob' });
my $c = Weir::Oidc::Browser->new($w);
is $c->login->status, 403, 'who is nobody\'s consumer is let in by no login';
my $torn = Weir::Oidc::Browser->new($w, jar => { weir_oidc_op => $b->jar->{weir_oidc_op} =~ s/.$//r });
is $torn->get('/')->status, 302, 'a session that is none names nobody';
done_testing;
