# ext_authz against a real gRPC server: what it is told of a request, and what its answers do to the request, to the answer, and to who is refused.
use v5.36;
use lib 't/lib';
use Weir::Authz;
use Weir::Test;

Weir::Authz::needs();
my $w      = Weir::Test->new('ext_authz asks a real service which requests may come in');
my $authz  = Weir::Authz->new($w);
my $origin = $w->echo_origin;
$w->allow_log(qr/auth\.ext\.|access\.default/);
$w->conf(<<"END", workers => 1);
    upstream authz { server ${\ $authz->address}; }
    log_format s '\$uri \$status \$weir_cause';
    access_log logs/s.log s;
    server {
        ext_authz grpc://authz;
        location / { ext_authz_context tier gold; ext_authz_context who "\$remote_addr/\$arg_a"; proxy_pass http://$origin; }
        location /body { ext_authz_body 16; proxy_pass http://$origin; }
        location /part { ext_authz_body 4 partial; proxy_pass http://$origin; }
        location /few { ext_authz_allowed_headers x-answer x-few-*; ext_authz_allowed_upstream_headers X-User; ext_authz_allowed_client_headers none;
            proxy_pass http://$origin; }
        location /dry { ext_authz_dry_run on; proxy_pass http://$origin; }
        location /page { error_page 403 /login; proxy_pass http://$origin; }
        location /login { ext_authz off; return 200 "log in"; }
        location /deny { default_deny on; proxy_pass http://$origin; }
        location /deny/body { default_deny on; ext_authz_body 1k; proxy_pass http://$origin; }
        location /any { satisfy any; deny all; proxy_pass http://$origin; }
        location /require { require \$http_x_role = admin; proxy_pass http://$origin; }
        location /rules { request_header set X-User "rule \$http_x_user"; response_header remove X-Shown; proxy_pass http://$origin; }
        location /old { rewrite ^/old/(.*) /new/\$1; }
        location /new { proxy_pass http://$origin; }
        location /off { ext_authz off; proxy_pass http://$origin; }
    }
END

sub ask ($target, @headers) { my $r = $w->get($target, @headers); return ($r, $r->status == 200 && $r->body =~ /^\{/ ? $w->seen($r) : undef) }

# -- what is told --

my ($r, $seen) = ask('/a%2fb/./c?a=1&b=%20', 'X-One', 'a', 'x-one', 'b', 'Cookie', 'c=1', 'Cookie', 'd=2', 'Connection', 'X-Hop', 'X-Hop', '1', 'X-Odd', "\xff\xe4b");
is $r->status, 200, 'a request that is allowed goes on';
my ($said) = $authz->asked;
my $http = $said->{request}{http};
is $http->{method}, 'GET', 'the method';
is $http->{path}, '/a%2Fb/c?a=1&b=%20', 'the path in the form that the peer gets, and the query';
is $http->{path}, $seen->{target}, 'which is what the peer gets';
is $http->{host}, "localhost", "the host";
is $http->{scheme}, 'http', 'the scheme';
is $http->{protocol}, 'HTTP/1.1', 'the protocol';
like $http->{id}, qr/^[0-9a-f]{32}$/, 'an id';
is $http->{headers}{'x-one'}, 'a, b', 'fields of one name are one';
is $http->{headers}{cookie}, 'c=1; d=2', 'cookies are one';
is $http->{headers}{'x-hop'}, undef, 'a field of the connection is not told';
is $http->{headers}{'x-odd'}, '!!b', 'what is no UTF-8 is replaced';
is $http->{headers}{':path'}, $http->{path}, "HTTP/2's own fields, too";
is $http->{size} // 0, 0, 'no body';
is $said->{source}{address}{socket_address}{address}, '127.0.0.1', "the client's address";
cmp_ok $said->{source}{address}{socket_address}{port_value}, '>', 0, 'and port';
is $said->{destination}{address}{socket_address}{port_value}, $w->port, "the server's port";
is_deeply $said->{context_extensions}, { tier => 'gold', who => '127.0.0.1/1' }, 'the context';
like $said->{request}{time}{seconds}, qr/^\d{10}$/, 'the time';
my ($line) = $authz->lines;
cmp_ok $line->{left}, '<=', 1, 'the deadline is told';
is $line->{metadata}{te} // 'trailers', 'trailers', 'te';

# -- what its answers do --

($r, $seen) = ask('/x?keep=1&drop=2&a%62=3&set=old', 'X-User', 'admin', 'X-List', 'mine', 'X-Gone', '1', 'X-There', 'old', 'X-Answer', '' . Weir::Authz::allowed(
    headers => [ Weir::Authz::option('x-user', 'alice'), Weir::Authz::option('x-list', 'theirs', append => { value => \1 }),
        Weir::Authz::option('x-there', 'new', append_action => 1), Weir::Authz::option('x-new', 'n', append_action => 1),
        Weir::Authz::option('x-absent', 'a', append_action => 3) ],
    headers_to_remove => [ 'x-gone', 'x-answer', ':path', 'host', 'content-length' ],
    response_headers_to_add => [ Weir::Authz::option('x-shown', 'yes'), Weir::Authz::option('set-cookie', 'a=1'), Weir::Authz::option('set-cookie', 'b=2') ],
    query_parameters_to_set => [ { key => 'set', value => 'n&w' }, { key => 'more', value => "1\r\n" } ], query_parameters_to_remove => [ 'drop', 'ab' ]));
my %field = map { lc $_->[0] => $_->[1] } $seen->{fields}->@*;
is $field{'x-user'}, 'alice', 'what the service sets stands in the place of what the client sent';
is_deeply [ map { $_->[1] } grep { lc $_->[0] eq 'x-list' } $seen->{fields}->@* ], [ 'mine', 'theirs' ], 'what it appends comes behind it';
is $field{'x-there'}, 'old', 'what it adds if absent, not';
is $field{'x-new'}, 'n', 'or does';
is $field{'x-absent'}, undef, 'what it overwrites if there is one';
is $field{'x-gone'}, undef, 'what it removes is gone';
ok defined $field{host}, 'but Host';
is $seen->{target}, '/x?keep=1&set=n%26w&more=1%0D%0A', 'the query';
is $r->header('X-Shown'), 'yes', 'the answer has what the service adds';
is_deeply [ $r->header('Set-Cookie') ], [ 'a=1', 'b=2' ], 'several of one name stay several';

($r) = ask('/x', 'X-Answer', '' . Weir::Authz::denied(401, headers => [ Weir::Authz::option('www-authenticate', 'Custom realm="x"'), Weir::Authz::option('content-type', 'application/json') ], body => '{"no":1}'));
is $r->status, 401, 'a refusal has the status of the service';
is $r->body, '{"no":1}', 'its body';
is $r->header('Content-Type'), 'application/json', 'its type';
is_deeply [ $r->header('WWW-Authenticate') ], [ 'Custom realm="x"' ], 'its challenge, once';
($r) = ask('/x', 'X-Answer', '' . Weir::Authz::denied(302, headers => [ Weir::Authz::option('location', 'https://id.example/login') ]));
is $r->status . ' ' . $r->header('Location'), '302 https://id.example/login', 'it may send to another place';
($r) = ask('/x', 'X-Answer', '{"status":{"code":7}}');
is $r->status, 403, 'without a denied_response it is 403';
like $r->body, qr/403 Forbidden/, "with Weir's page";
($r) = ask('/x', 'X-Answer', '{"status":{"code":0}}');
is $r->status, 200, 'a status of 0 alone lets in';
($r) = ask('/page', 'X-Answer', '' . Weir::Authz::denied(403, body => 'theirs'));
is $r->body, 'log in', 'an error_page stands in the place of the body';

# -- bodies --

is $w->request('POST', '/body', body => "a=\xc3\xa4")->status, 200, 'a body goes along';
is( ($authz->asked)[-1]{request}{http}{body}, "a=\xe4", 'as a text') or diag explain(($authz->asked)[-1]);
is( ($authz->asked)[-1]{request}{http}{size}, 4, 'with its size');
is $w->seen($w->request('POST', '/body', body => "\xff\0"))->{body} // '', "\xff\0", 'the peer gets it, too';
is( ($authz->asked)[-1]{request}{http}{raw_body}, '/wA=', 'what is no text goes along as bytes');
is $w->request('POST', '/body', body => 'x' x 17)->status, 413, 'a larger one is refused';
my $asked = $authz->asked;
$r = $w->client->send("POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n" . 'x' x 17 . "\r\n0\r\n\r\n")->read_response(method => 'POST');
is $r->status, 413, 'also when it does not say its length';
is scalar($authz->asked), $asked, 'nobody is asked';
is $w->seen($w->request('POST', '/part', body => 'abcdefgh'))->{body}, 'abcdefgh', 'with "partial" the peer gets all of it';
is( ($authz->asked)[-1]{request}{http}{body}, 'abcd', 'and the service the beginning');
is $w->request('POST', '/body', body => 'x', headers => [ 'X-Answer', '' . Weir::Authz::denied(409) ])->status, 409, 'it is refused in that phase, too';

# -- which fields --

($r, $seen) = ask('/few', 'X-Secret', 's', 'X-Few-A', '1', 'X-Answer', '' . Weir::Authz::allowed(headers => [ Weir::Authz::option('x-user', 'u'), Weir::Authz::option('x-other', 'o') ],
    response_headers_to_add => [ Weir::Authz::option('x-shown', 'yes') ]));
my $told = ($authz->asked)[-1]{request}{http}{headers};
is_deeply [ sort grep { !/^:/ } keys %$told ], [ 'x-answer', 'x-few-a' ], 'only fields that are allowed are told';
%field = map { lc $_->[0] => $_->[1] } $seen->{fields}->@*;
is join('|', map { $_ // '-' } @field{qw(x-user x-other x-secret)}), 'u|-|s', 'only what is allowed is taken';
is $r->header('X-Shown'), undef, 'nothing is shown';

# -- with others --

($r, $seen) = ask('/dry', 'X-User', 'mine', 'X-Answer', '' . Weir::Authz::denied(403));
is $r->status, 200, 'a rehearsal refuses nothing';
($r, $seen) = ask('/dry', 'X-User', 'mine', 'X-Answer', '' . Weir::Authz::allowed(headers => [ Weir::Authz::option('x-user', 'alice') ], response_headers_to_add => [ Weir::Authz::option('x-shown', 'yes') ]));
%field = map { lc $_->[0] => $_->[1] } $seen->{fields}->@*;
is $field{'x-user'} . ($r->header('X-Shown') // '-'), 'mine-', 'and changes nothing';
is +(ask('/deny'))[0]->status, 200, 'default_deny: the service lets in';
is $w->request('POST', '/deny/body', body => 'x')->status, 200, 'also with a body';
is +(ask('/any'))[0]->status, 200, 'satisfy any: the service alone lets in';
is +(ask('/any', 'X-Answer', '' . Weir::Authz::denied(401, headers => [ Weir::Authz::option('www-authenticate', 'Other') ])))[0]->header('WWW-Authenticate'), 'Other', 'or asks for a name';
is +(ask('/require'))[0]->status, 403, 'require is looked at afterwards';
is +(ask('/require', 'X-Answer', '' . Weir::Authz::allowed(headers => [ Weir::Authz::option('x-role', 'admin') ])))[0]->status, 200, 'by what the service has set';
($r, $seen) = ask('/rules', 'X-Answer', '' . Weir::Authz::allowed(headers => [ Weir::Authz::option('x-user', 'u') ], response_headers_to_add => [ Weir::Authz::option('x-shown', 'yes') ]));
%field = map { lc $_->[0] => $_->[1] } $seen->{fields}->@*;
is $field{'x-user'} . ($r->header('X-Shown') // '-'), 'rule u-', 'rules for fields come behind it';
($r, $seen) = ask('/old/x?q');
is( ($authz->asked)[-1]{request}{http}{path}, '/new/x?q', 'a rewritten path is told as it is now');
$asked = $authz->asked;
is +(ask('/off'))[0]->status, 200, 'off';
is scalar($authz->asked), $asked, 'nobody is asked';

like $w->access_log("s.log"), qr{^/x 401 auth\.ext\.unknown$}m, "the cause is in the log";
done_testing;
