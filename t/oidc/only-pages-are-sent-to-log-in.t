# Who is sent to the provider and who is told 401; where one comes back to; several tabs at one time.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Oidc;

my $w = Weir::Test->new('only pages are sent to log in');
$w->needs_weir;
$w->allow_log(qr/auth\.oidc/);
my $op = Weir::Oidc->new($w);
$w->conf(<<"END", workers => 2);
    oidc_provider op { @{[ $op->lines ]} }
    server {
        auth_oidc op;
        location / { add_header X-Cause \$weir_cause always; add_header X-Sub \$oidc_claim_sub; empty_gif; }
    }
END
my $ask = sub ($method, @headers) { $w->request($method, '/', headers => \@headers) };
my $is = sub ($want, $what, $method, @headers) { is $ask->($method, @headers)->status, $want, $what };
$is->(302, 'no Accept', 'GET');
$is->(302, 'a browser', 'GET', Accept => 'text/html,application/xhtml+xml,*/*;q=0.8', 'Sec-Fetch-Mode' => 'navigate');
$is->(302, 'anything', 'GET', Accept => '*/*');
$is->(302, 'HEAD', 'HEAD');
$is->(401, 'POST', 'POST', Accept => 'text/html');
$is->(401, 'PUT', 'PUT');
$is->(401, 'OPTIONS', 'OPTIONS');
$is->(401, 'JSON', 'GET', Accept => 'application/json');
$is->(401, 'text/html, but no', 'GET', Accept => 'text/html;q=0, application/json');
$is->(401, 'a picture of a page', 'GET', Accept => 'image/*', 'Sec-Fetch-Mode' => 'no-cors');
$is->(401, 'fetch', 'GET', Accept => '*/*', 'Sec-Fetch-Mode' => 'cors');
$is->(401, 'XMLHttpRequest', 'GET', 'X-Requested-With' => 'XMLHttpRequest');
my $socket = $ask->('GET', Connection => 'Upgrade', Upgrade => 'websocket', 'Sec-WebSocket-Version' => 13, 'Sec-WebSocket-Key' => 'AAAAAAAAAAAAAAAAAAAAAA==');
is $socket->status, 401, 'WebSocket';
my $told = $ask->('POST');
is $told->header('X-Cause'), 'auth.oidc.session', 'with its cause';
is $told->header('WWW-Authenticate'), 'Cookie realm="op"', 'and what is wanted';
is $told->header('Set-Cookie'), undef, 'and no cookie';
is $told->header('Cache-Control'), 'no-store', 'and nobody keeps it';

# Where one comes back to: this site, whatever stood in the address.
my $comes_to = sub ($target) {
    my $b = Weir::Oidc::Browser->new($w);
    my $back = $b->begin($target);
    return scalar $b->get($back)->header('Location');
};
is $comes_to->('/a/b?c=d%20e&f=%2F%2Fevil'), 'http://localhost/a/b?c=d%20e&f=%2F%2Fevil', 'path and query';
is $comes_to->('/?'), 'http://localhost/?', 'an empty query';
is $comes_to->('//evil.example/x'), 'http://localhost/evil.example/x', 'two slashes are no other host';
is $comes_to->('///evil.example'), 'http://localhost/evil.example', 'nor are three';
like $comes_to->('/' . 'x' x 3000), qr{^http://localhost/}, 'a long one';
is $comes_to->('/p?' . 'x' x 3000), 'http://localhost/p', 'a long query is left out';
like $w->raw("GET /\\evil.example HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), qr{^HTTP/1.1 400 }, 'a backslash is no path';

# Tabs.
my $b = Weir::Oidc::Browser->new($w);
my %back = map { $_ => $b->begin("/tab$_") } 1 .. 3;
is scalar(keys $b->jar->%*), 3, 'three tabs are at it';
is scalar $b->get($back{2})->header('Location'), 'http://localhost/tab2', 'the second comes back first';
is scalar $b->get($back{1})->header('Location'), 'http://localhost/tab1', 'then the first';
is scalar $b->get($back{3})->header('Location'), 'http://localhost/tab3', 'then the third';
is join(' ', keys $b->jar->%*), 'weir_oidc_op', 'one session';
my $many = Weir::Oidc::Browser->new($w);
my @backs = map { $many->begin("/$_") } 1 .. 20;
is scalar(keys $many->jar->%*), 8, 'eight logins of a browser at one time';
is $many->clone->get($backs[0])->status, 403, 'the oldest gave way';
is $many->clone->get($backs[-1])->status, 302, 'the newest is good';
my $late = Weir::Oidc::Browser->new($w);
my $late_back = $late->begin('/');
$w->reload(<<"END");
    oidc_provider op { @{[ $op->lines('login_timeout 1s;') ]} }
    server { auth_oidc op; location / { add_header X-Cause \$weir_cause always; add_header X-Sub \$oidc_claim_sub; empty_gif; } }
END
$w->wait_until('login_timeout', sub { $late->clone->get($late_back)->status == 403 });
is $late->login->header('X-Sub'), 'alice', 'a new login';
done_testing;
