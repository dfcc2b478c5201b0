# satisfy any, error pages, subrequests, consumers, dry runs: who is in, who is sent, who is told.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Oidc;

my $w = Weir::Test->new('a session is one guard among others');
$w->needs_weir;
$w->allow_log(qr/auth\.oidc|dry run|access\.|auth\.request/);
my $op = Weir::Oidc->new($w);
my $origin = $w->echo_origin;
$w->conf(<<"END", workers => 2);
    oidc_provider op { @{[ $op->lines('logout_uri /logout;') ]} }
    server {
        auth_oidc op;
        location / { add_header X-Sub "[\$oidc_claim_sub]"; empty_gif; }
        location /any { satisfy any; allow 127.0.0.1; deny all; add_header X-Sub "[\$oidc_claim_sub]"; empty_gif; }
        location /any-other { satisfy any; deny all; add_header X-Sub "[\$oidc_claim_sub]"; empty_gif; }
        location /both { deny all; empty_gif; }
        location /admin { require \$oidc_claim_sub == root; empty_gif; }
        location /page { error_page 401 /sorry; empty_gif; }
        location = /sorry { auth_oidc off; add_header X-Sorry yes always; return 200 "log in first"; }
        location /missing { error_page 404 /found; return 404; }
        location = /found { add_header X-Sub "[\$oidc_claim_sub]" always; return 200 found; }
        location /asks { auth_oidc off; auth_request /auth; add_header X-Cause \$weir_cause always; empty_gif; }
        location = /auth { internal; add_header X-Sub \$oidc_claim_sub; return 204; }
        location /tries { auth_oidc_dry_run on; add_header X-Sub "[\$oidc_claim_sub]" always; proxy_pass http://$origin; }
        location /rehearses { dry_run on; add_header X-Sub "[\$oidc_claim_sub]" always; empty_gif; }
        location /limited { limit_req_dry_run on; mirror /copy; empty_gif; }
        location = /copy { internal; auth_oidc off; proxy_pass http://$origin; }
    }
END
my $b = Weir::Oidc::Browser->new($w);
my $get = sub ($path, @headers) { $w->get($path, @headers) };
is $get->('/any')->header('X-Sub'), '[]', 'satisfy any: an address that is let in is asked nothing';
is $get->('/any-other')->status, 302, 'another is sent to log in';
is $get->('/both')->status, 403, 'deny comes first';
my $sorry = $get->('/page', Accept => 'application/json');
is $sorry->status . ' ' . $sorry->header('X-Sorry') . ' ' . $sorry->body, '401 yes log in first', 'a page for the 401';
is $get->('/page', Accept => 'text/html')->status, 302, 'but a browser is sent to log in';
is $get->('/asks')->status, 200, 'guards do not judge what Weir asks itself, this one neither';
is $get->('/tries')->status, 200, 'a rehearsal lets everyone pass';
is $get->('/tries')->header('X-Sub'), '[]', 'as nobody';
is scalar($get->('/tries')->header('Set-Cookie')), undef, 'and sets no cookie';
is $get->('/rehearses')->status, 200, 'dry_run of the place does, too';

$b->login;
is $b->get('/any')->header('X-Sub'), '[alice]', 'with a session: who it is, everywhere';
is $b->get('/any-other')->header('X-Sub'), '[alice]', 'in, by the session alone';
is $b->get('/both')->status, 403, 'not in by the session alone where both must agree';
is $b->get('/admin')->status, 403, 'require asks for more';
is $b->get('/missing')->header('X-Sub'), '[alice]', 'an internal redirect knows who it was';
is $b->get('/asks')->status, 200, 'so does a subrequest';
is scalar($get->('/asks')->header('Set-Cookie')), undef, 'which is not sent anywhere and sets nothing';
is $b->get('/tries')->header('X-Sub'), '[alice]', 'a rehearsal knows';
unlike $b->get('/tries')->body, qr/weir_oidc/, 'and keeps cookies from the peer all the same';
$b->get('/limited');
$w->wait_until('the copy', sub { grep { m{/copy|/limited} } $origin->lines });
unlike $origin->received, qr/weir_oidc/, 'a copy has no cookie of ours';
done_testing;
