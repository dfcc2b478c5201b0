# Cookies of a login and of a session are for Weir alone: a service that ext_authz asks is told of a request without them, in a place that
# wants a session and in one that does not; the browser's other cookies are told.
use v5.36;
use lib 't/lib';
use Weir::Authz;
use Weir::Oidc;
use Weir::Test;

Weir::Authz::needs();
my $w = Weir::Test->new('no service is told of a session')->needs_weir;
$w->allow_log(qr/auth\./);
my $op     = Weir::Oidc->new($w);
my $authz  = Weir::Authz->new($w);
my $origin = $w->echo_origin;
$w->conf(<<"END", workers => 1);
http {
    upstream authz { server ${\ $authz->address}; }
    oidc_provider op { @{[ $op->lines('') ]} }
    server {
        ext_authz grpc://authz;
        location / { auth_oidc op; proxy_pass http://$origin; }
        location /open { proxy_pass http://$origin; }
    }
}
END
my $b = Weir::Oidc::Browser->new($w);
$b->login;
my ($session) = grep { /^weir_oidc_op/ } keys $b->jar->%*;
ok $session, 'there is a session';
$b->jar->{mine} = '1';
for my $path (qw(/ /open)) {
    my $before = () = $authz->asked;
    is $b->get($path)->status, 200, "$path is asked for with the session";
    my @asked = $authz->asked;
    is @asked - $before, 1, 'the service was asked';
    is $asked[-1]{request}{http}{headers}{cookie}, 'mine=1', 'and told of the other cookie only';
}
done_testing;
