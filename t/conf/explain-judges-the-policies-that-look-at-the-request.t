# `weir explain` says which answer a request gets and by which line, where the policies look at nothing else than the request: addresses, require,
# limit_except, default_deny, cors, maintenance, credentials that are missing, tokens by the keys of files; the same as the running instance does.
# What it cannot know it takes for a policy that lets the request in, and says so.
use v5.36;
use lib 't/lib';
use Weir::Jose;
use Weir::Test;

my $w = Weir::Test->new('explain judges the policies that look at the request')->needs_weir->allow_log(qr/./);
my $key   = Weir::Jose->key($w, 'ES256', kid => 'k');
my $other = Weir::Jose->key($w, 'ES256', kid => 'k');
$w->write_file('conf/jwks', Weir::Jose->set($key));
$w->write_file('conf/users', "u:{PLAIN}p\n");
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
$w->conf(<<"END", workers => 1);
    auth_jwt_claim_set \$role role;
    limit_req_zone \$binary_remote_addr zone=rate:1m rate=10000r/s;
    map \$http_x_kind \$kind { default plain; a fancy; }
    server { server_name a.example;
        location /open { proxy_pass http://$origin; }
        location /mine { allow 127.0.0.0/8; deny all; proxy_pass http://$origin; }
        location /theirs { allow 10.0.0.0/8; deny all; proxy_pass http://$origin; }
        location /kind { require \$kind = fancy error=404; require \$arg_x != 1; proxy_pass http://$origin; }
        location /read { limit_except GET { deny all; } proxy_pass http://$origin; }
        location /nobody { default_deny on; proxy_pass http://$origin; }
        location /somebody { default_deny on; allow 127.0.0.1; proxy_pass http://$origin; }
        location /name { auth_basic shop; auth_basic_user_file users; proxy_pass http://$origin; }
        location /either { satisfy any; allow 10.0.0.1; deny all; auth_basic shop; auth_basic_user_file users; proxy_pass http://$origin; }
        location /both { satisfy any; allow 127.0.0.1; deny all; auth_basic shop; auth_basic_user_file users; proxy_pass http://$origin; }
        location /token { auth_jwt api; auth_jwt_key_file jwks; auth_jwt_require \$jwt_claim_sub; require \$jwt_claim_level >= 3; proxy_pass http://$origin; }
        location /closed { maintenance on; proxy_pass http://$origin; }
        location /rehearsed { dry_run on; deny all; proxy_pass http://$origin; }
        location /limited { limit_req zone=rate burst=10000; deny 10.0.0.1; proxy_pass http://$origin; }
        location /page { deny all; error_page 403 =402 /why; proxy_pass http://$origin; }
        location /why { return 200 why; }
        location /pages { cors { allow_origin https://a.example; allow_methods GET; } proxy_pass http://$origin; }
        location /made { auth_jwt api; auth_jwt_key_file jwks; require \$role = admin; proxy_pass http://$origin; }
    }
END
$w->start;
my %at;
my $line = 0;
for (split /\n/, Weir::Server::slurp($w->conf_file)) { $line++; while (/(deny all|require [^;]*|default_deny on|auth_basic shop|auth_jwt api|maintenance on|allow_origin|location \S+)/g) { $at{"$line $1"} = $line } }

my $good = $key->token({ sub => 'alice', level => 5, role => 'admin', exp => time + 600 });
my @cases = (       # method, path, fields, status, what decides, what is a doubt
    [ GET => '/open', [], 200 ],
    [ GET => '/mine', [], 200 ],
    [ GET => '/theirs', [], 403, 'access.denied', 'deny all' ],
    [ GET => '/kind', [], 404, 'access.require', 'require $kind = fancy error=404' ],
    [ GET => '/kind', [ 'X-Kind' => 'a' ], 200 ],
    [ GET => '/kind?x=1', [ 'X-Kind' => 'a' ], 403, 'access.require', 'require $arg_x != 1' ],
    [ GET => '/read', [], 200 ],
    [ PUT => '/read', [], 403, 'access.denied', 'deny all' ],
    [ GET => '/nobody', [], 403, 'access.default', 'default_deny on' ],
    [ GET => '/somebody', [], 200 ],
    [ GET => '/name', [], 401, 'auth.basic.missing', 'auth_basic shop' ],
    [ GET => '/name', [ Authorization => 'Basic dTpw' ], 200, undef, undef, 'what http_auth_basic says' ],
    [ GET => '/either', [], 401, 'auth.basic.missing', 'auth_basic shop' ],
    [ GET => '/both', [], 200 ],
    [ GET => '/token', [], 401, 'auth.jwt.missing', 'auth_jwt api' ],
    [ GET => '/token', [ Authorization => "Bearer $good" ], 200 ],
    [ GET => '/token', [ Authorization => 'Bearer ' . $other->token({ sub => 'alice', level => 5, exp => time + 600 }) ], 401, 'auth.jwt.signature', 'auth_jwt api' ],
    [ GET => '/token', [ Authorization => 'Bearer ' . $key->token({ sub => 'alice', level => 5, exp => time - 600 }) ], 401, 'auth.jwt.expired', 'auth_jwt api' ],
    [ GET => '/token', [ Authorization => 'Bearer ' . $key->token({ level => 5, exp => time + 600 }) ], 401, 'auth.jwt.require', 'auth_jwt api' ],
    [ GET => '/token', [ Authorization => 'Bearer ' . $key->token({ sub => 'alice', level => 2, exp => time + 600 }) ], 403, 'access.require', 'require $jwt_claim_level >= 3' ],
    [ GET => '/closed', [], 503, 'access.maintenance', 'maintenance on' ],
    [ GET => '/rehearsed', [], 200 ],
    [ GET => '/limited', [], 200, undef, undef, 'what http_limit_req says' ],
    [ GET => '/page', [], 402, 'access.denied', 'deny all' ],
    [ OPTIONS => '/pages', [ Origin => 'https://a.example', 'Access-Control-Request-Method' => 'GET' ], 204 ],
    [ OPTIONS => '/pages', [ Origin => 'https://b.example', 'Access-Control-Request-Method' => 'GET' ], 403, 'cors.origin' ],
    [ GET => '/made', [ Authorization => "Bearer $good" ], 200, undef, undef, '' ],
    [ GET => '/none', [], 404 ],
);
for my $case (@cases) {
    my ($method, $path, $fields, $status, $cause, $by, $doubt) = @$case;
    my @h = @$fields;
    my @options = map { ('-H', "$h[$_ * 2]: $h[$_ * 2 + 1]") } 0 .. @h / 2 - 1;
    my $what = join ' ', $method, $path, map { substr $_, 0, 20 } @h;
    my $live = $w->request($method, $path, host => 'a.example', headers => $fields)->status;
    is $live, $status, "$what: is answered so";
    my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', "$method http://a.example:" . $w->port . $path, '--ip', '127.0.0.1', '--json', @options);
    my $f = Weir::Json::decode($said);
    my $outcome = $path eq '/none' ? 'unrouted' : $cause ? 'refused' : $f->{outcome} eq 'passed' ? 'passed' : 'answered';
    is "$code $f->{outcome}", { passed => 0, answered => 0, refused => 3, unrouted => 2 }->{$outcome} . " $outcome", "$what: what explain says" or diag substr $said, 0, 300;
    is $f->{answer}{status} // 200, $status, 'the status is the same' unless $path eq '/none';
    is $f->{answer}{cause}, $cause, 'and the cause' if $cause;
    if ($by) {
        is $f->{answer}{by}{line} =~ s/"//gr, $by, 'by that line' or diag substr $said, 0, 300;
        my ($l) = $f->{answer}{by}{at} =~ /:(\d+)$/;
        ok exists $at{"$l $by"}, "which stands there ($l)";
        is $f->{target}{kind}, 'passed', 'and what is behind it is told' unless $path eq '/pages';
    }
    my $on = join '; ', grep { /^what http_/ } map { $_->{on} } $f->{depends}->@*;
    is $on, $doubt // '', 'and what is not known' or diag substr $said, 0, 300 if !defined $doubt || length $doubt;
}

# Without what is needed, nothing is judged.
my $depends = sub ($path, @options) {
    my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', "GET http://a.example:" . $w->port . $path, '--json', @options);
    my $f = Weir::Json::decode($said);
    return join ' ', $code, $f->{outcome}, grep { /^what http_/ } map { $_->{on} } $f->{depends}->@*;
};
is $depends->('/theirs'), '0 passed what http_access says', 'addresses, and no --ip';
is $depends->('/mine', '--ip', '10.1.1.1'), '3 refused', 'that of somebody else';
is $depends->('/made', '-H', "Authorization: Bearer $good"), '0 passed what http_require says', 'what a policy has found out is not known';
my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', 'GET http://a.example:' . $w->port . '/theirs', '--ip', '127.0.0.1');
like $said, qr/^  policies  access     http_access: refuses$/m, 'the verdict, as text';
like $said, qr/^  answer    403, cause access\.denied \(access forbidden by rule\)\n  by        deny all  \(\S+:\d+\)$/m, 'and the line';
done_testing;
