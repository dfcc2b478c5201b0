# oauth2: an authorization server is asked (RFC 7662), the client stands in Authorization or in the form; good tokens let in and tell, others do
# not, and a client is told why (RFC 6750).
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::OAuth2;

my $w = Weir::Test->new('oauth2 asks an authorization server about a token')->needs_weir;
my $server = Weir::OAuth2->server($w, id => 'we ir:', secret => 'p%s+s ä&=');
my $post = Weir::OAuth2->server($w, id => 'form', secret => 'a&b=c', method => 'post');
my $origin = $w->echo_origin;
my $down = $w->refused_peer;
$w->write_file('conf/secret', "p%s+s ä&=\n");
$w->write_file('conf/form-secret', 'a&b=c');
$w->write_file('conf/wrong-secret', "wrong\n");
my $now = time;
my %base = (active => \1, sub => 'alice', client_id => 'app', scope => 'read write', exp => $now + 600, iss => 'https://as', aud => [ 'api', 'x' ]);
my %tokens = (
    good => { %base, realm => { roles => [ 'a', 'b' ] }, Upper => 'U' }, inactive => { active => \0, sub => 'alice' }, other => { %base, scope => 'read' },
    noscope => { active => \1 }, expired => { %base, exp => $now - 1 }, early => { %base, nbf => $now + 600 }, otheriss => { %base, iss => 'x' },
    otheraud => { %base, aud => 'apis' }, dpop => { %base, token_type => 'DPoP' }, bearer => { %base, token_type => 'bearer' },
    bound => { %base, cnf => { 'x5t#S256' => 'x' } }, refresh => { %base, token_use => 'refresh_token' }, text => { %base, active => 'true' },
    none => { sub => 'alice' }, 'no-json' => 'true', list => '[{"active":true}]', twice => '{"active":true,"active":true}', tail => '{"active":true} x',
    empty => '', badexp => '{"active":true,"exp":"soon"}', large => { %base, more => 'x' x 70000 }, '500' => 'status 500', '204' => 'status 204',
    'a.b_c~d+e/f-g==' => { %base },
);
$server->tokens(%tokens);
$post->tokens(good => \%base);
$w->allow_log(qr/auth\.oauth2/);
$w->conf(<<"END");
    oauth2_claim_set \$roles realm roles;
    log_format cause '\$request_uri \$status \$weir_cause';
    access_log logs/access.log cause;
    upstream as { server $server; }
    server {
        oauth2 "the \\"api\\"";
        oauth2_introspection http://$server/introspect;
        oauth2_introspection_client "we ir:" secret_file=secret;
        location / {
            oauth2_issuer https://as; oauth2_audience y api; oauth2_scope read write;
            proxy_set_header X-Seen "\$oauth2_active|\$oauth2_claim_sub|\$oauth2_claim_aud|\$oauth2_scope|\$oauth2_claim_upper|\$roles|\$oauth2_claim_nothing";
            proxy_pass http://$origin;
        }
        location /any-policy { add_header X-Seen "\$oauth2_active\$oauth2_claim_sub" always; empty_gif; }
        location /query { oauth2 q token=\$arg_access_token; oauth2_strip on; proxy_pass http://$origin; }
        location /strip { oauth2_strip on; proxy_pass http://$origin; }
        location /open { oauth2 off; add_header X-Seen "\$oauth2_active|" always; empty_gif; }
        location /group { oauth2_introspection http://as/introspect; empty_gif; }
        location /post { oauth2_introspection http://$post/introspect; oauth2_introspection_client form secret_file=form-secret method=post; empty_gif; }
        location /wrong { oauth2_introspection_client "we ir:" secret_file=wrong-secret; empty_gif; }
        location /down { oauth2_introspection http://$down/; empty_gif; }
        location /any { satisfy any; allow 127.0.0.2; deny all; empty_gif; }
        location /any-ip { satisfy any; allow 127.0.0.1; deny all; add_header X-Seen "\$oauth2_active|" always; empty_gif; }
        location /page { error_page 401 403 503 = /sorry; oauth2_scope admin; empty_gif; }
        location = /sorry { internal; oauth2 off; return 200 "sorry \$oauth2_claim_sub."; }
        location /long { oauth2_max_size 8; empty_gif; }
    }
END
my $get = sub ($path, $token = undef, @more) { $w->get($path, defined $token ? (Authorization => "Bearer $token") : (), @more) };
my $cause = sub ($path) { ($w->wait_for_access(qr/^\Q$path\E \d+ (\S+)\n/m) =~ /(\S+)$/)[0] };

my $answer = $get->('/', 'good');
is $answer->status, 200, 'a good token';
is $w->seen($answer)->header('X-Seen'), '1|alice|api,x|read write|U|a,b|', 'and what the server says of it';
is $w->seen($answer)->header('Authorization'), 'Bearer good', 'the token goes on as a rule';
is $get->('/', 'a.b_c~d+e/f-g==')->status, 200, 'a token of every kind of byte comes over whole';
is $get->('/', 'bearer')->status, 200, 'a token_type in any case';
is $w->get('/', Authorization => 'bEARER   good')->status, 200, 'the scheme in any case, blanks before the token';
is_deeply [ $server->wrong ], [], 'nothing was wrong with the questions';

my %want = (inactive => 'inactive', unknown => 'inactive', expired => 'expired', early => 'not_yet', otheriss => 'issuer', otheraud => 'audience',
    dpop => 'type', bound => 'type', refresh => 'type', 'not;a;token' => 'malformed');
for my $token (sort keys %want) {
    $answer = $get->("/?t=$token", $token);
    is $answer->status, 401, "$token is refused";
    is $answer->header('WWW-Authenticate'), 'Bearer realm="the \"api\"", error="invalid_token"', '… and told so';
    is $cause->("/?t=$token"), "auth.oauth2.$want{$token}", '… with a cause';
}
for my $token (qw(other noscope)) {
    $answer = $get->("/?t=$token", $token);
    is $answer->status, $token eq 'other' ? 403 : 401, "$token lacks a scope, or more" ;
}
is $get->('/?s', 'other')->header('WWW-Authenticate'), 'Bearer realm="the \"api\"", error="insufficient_scope", scope="read write"', 'the scope is named';
is $cause->('/?s'), 'auth.oauth2.scope', '… with a cause';
for my $bad (qw(text none no-json list twice tail empty badexp large 500 204)) {
    $answer = $get->("/any-policy?t=$bad", $bad);
    is $answer->status, 503, "an answer that is none ($bad)";
    is $answer->header('WWW-Authenticate'), undef, '… is not the client\'s fault';
    is $cause->("/any-policy?t=$bad"), 'auth.oauth2.unavailable', '… with a cause';
    is $answer->header('X-Seen'), undef, '… and tells nothing';
}
$answer = $get->('/?none');
is $answer->status, 401, 'no token';
is $answer->header('WWW-Authenticate'), 'Bearer realm="the \"api\""', '… without an error';
is $cause->('/?none'), 'auth.oauth2.missing', '… with a cause';
is $w->get('/?basic', Authorization => 'Basic YTpi')->status, 401, 'another scheme';
my $before = $server->asked;
is $get->('/long', 'good')->status, 200, 'within the size';
is $get->('/long', 'good-good')->status, 401, 'beyond it';
is $server->asked, $before + 1, '… nobody is asked';

is $get->('/group', 'good')->status, 200, 'the server may be an upstream group';
is $get->('/post', 'good')->status, 200, 'the client stands in the form';
is_deeply [ $post->wrong ], [], '… as it should';
is $get->('/wrong', 'good')->status, 503, 'a wrong secret lets nobody in';
is +($server->wrong)[-1], 'invalid_client', '… as the server says';
is $get->('/down', 'good')->status, 503, 'a server that is down lets nobody in';
$answer = $get->('/query?access_token=good&a=b');
is $w->seen($answer)->target, '/query?a=b', 'a token in the query, which is not sent on';
unlike $w->access_log, qr/access_token=good/, '… nor logged';
is $w->seen($get->('/strip', 'good'))->header('Authorization'), undef, 'a token that is stripped';
is $w->seen($get->('/strip', 'good'))->target, '/strip', '… alone';
is $get->('/open', 'good')->header('X-Seen'), '|', 'off: nobody is asked';
is $get->('/any', 'good')->status, 200, 'satisfy any: the token';
is $get->('/any', 'inactive')->status, 401, 'satisfy any: nothing';
is $get->('/any-ip', 'inactive')->header('X-Seen'), '|', 'satisfy any: the address, which makes no token good';
is $get->('/page', 'good')->body, 'sorry .', 'error_page, and what is refused tells nothing there';
unlike $w->error_log, qr/p%s\+s|wrong-secret\n|a&b=c|Bearer g/, 'no secret in the log';
done_testing;
