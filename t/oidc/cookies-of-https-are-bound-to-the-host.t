# Over TLS, and behind a balancer that ends it: Secure, __Host-, redirects to https; over HTTP/2, where the Cookie field comes in crumbs.
use v5.36;
use lib 't/lib';
use Weir::Cert;
use Weir::Http2;
use Weir::Oidc;
use Weir::Test;
use Weir::Tls;

my $w = Weir::Test->new('cookies of https are bound to the host');
$w->needs_weir;
$w->allow_log(qr/auth\.oidc/);
my $op = Weir::Oidc->new($w);
my $site = Weir::Cert->ca($w, 'root')->issue('localhost');
my $origin = $w->echo_origin;
$op->set(access => 'x' x 4000);
$w->conf(<<"END", workers => 2);
    oidc_provider tls { @{[ $op->lines ]} }
    oidc_provider behind { @{[ $op->lines('redirect_uri https://app.example/cb; logout_uri /out; post_logout_uri /bye;') ]} }
    server {
        listen 127.0.0.1:%%PORT_tls%% ssl; ssl_certificate $site->{cert}; ssl_certificate_key $site->{key}; http2 on;
        auth_oidc tls;
        location / { add_header X-Sub \$oidc_claim_sub; proxy_pass http://$origin; }
    }
    server { http2 on; auth_oidc behind; location / { add_header X-Sub \$oidc_claim_sub; proxy_pass http://$origin; } }
END
my $b = Weir::Oidc::Browser->new($w, ask => sub ($method, $path, @headers) {
    my $c = Weir::Tls::client($w, port => 'tls');
    return $c->send_request($method, $path, headers => \@headers)->read_response(method => $method);
});
my $first = $b->get('/x');
like $first->header('Set-Cookie'), qr{^__Host-weir_oidc_tls-login\.[\w-]{12}=[^;]+; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$}, 'the cookie of a login';
like $first->header('Location'), qr{redirect_uri=https%3A%2F%2Flocalhost%2Foidc_callback&}, 'back to https';
my $back = $b->get(Weir::Oidc::Browser::path_of($b->at_provider(scalar $first->header('Location'))));
my @set = grep { /weir_oidc_tls[.=]/ } $back->header('Set-Cookie');
cmp_ok scalar(@set), '>', 1, 'a session in pieces';
ok !(grep { !m{^__Host-weir_oidc_tls(?:\.\d)?=[^;]+; Path=/; HttpOnly; SameSite=Lax; Secure$} } @set), 'each Secure, with the prefix, and no domain';
is $back->header('Location'), 'https://localhost/x', 'on to https';
is $b->get('/x')->header('X-Sub'), 'alice', 'in';
unlike $b->get('/x')->body, qr/weir_oidc/, 'none for the peer';
my %plain = map { s/^__Host-//r => $b->jar->{$_} } keys $b->jar->%*;
my $tossed = Weir::Oidc::Browser->new($w, jar => \%plain, ask => $b->{ask});
is $tossed->get('/x')->status, 302, 'without the prefix, as a neighbour could set them, they are nothing';

# Behind a balancer.
my $c = Weir::Oidc::Browser->new($w);
$first = $c->get('/y');
like $first->header('Set-Cookie'), qr{^__Host-weir_oidc_behind-login\..*; Secure$}, 'behind a balancer: what redirect_uri says';
like $first->header('Location'), qr{redirect_uri=https%3A%2F%2Fapp\.example%2Fcb&}, 'as it is written';
$back = $c->get(Weir::Oidc::Browser::path_of($c->at_provider(scalar $first->header('Location'))));
is $back->header('Location'), 'https://app.example/y', 'to the page, as the browser knows the site';
is $c->get('/y')->header('X-Sub'), 'alice', 'in';

# HTTP/2: a field for each cookie.
my $h2 = Weir::Http2::client($w);
$h2->write(Weir::Http2::headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/y'), map { (cookie => "$_=" . $c->jar->{$_}) } sort keys $c->jar->%*));
is $h2->verdict(1, waits => 1), '200', 'over HTTP/2, in crumbs';
$h2->request(3, ':path' => '/y', accept => 'text/html');
is $h2->verdict(3, waits => 1), '302', 'and without';
$h2->close;
done_testing;
