# cors: preflights are answered for the place that would take the request that they announce, and pages of the origins named may read every answer of it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('cors lets pages of named origins in');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok ' . $c->request->method, 'Access-Control-Allow-Origin', '*', 'Access-Control-Allow-Credentials', 'true', 'X-Peer', 1) });
my $conf   = <<"END";
    add_header X-Cause \$weir_cause always;
    server {
        route read {
            match path_prefix=/items method=GET;
            cors { allow_origin *; }
            proxy_pass http://$origin;
        }
        route write {
            match path_prefix=/items method=PUT|DELETE;
            auth_basic items; auth_basic_user_file %%DIR%%/users;
            cors {
                allow_origin https://app.example.com https://*.dev.example.com:8443 ~^https://pr-\\d+\\.example\\.net\$;
                allow_headers Authorization X-Request-ID;
                expose_headers X-Peer ETag;
                allow_credentials on;
                max_age 10m;
            }
            proxy_pass http://$origin;
        }
        route own {
            match path=/own method=OPTIONS;
            return 200 own;
        }
        route silent {
            match path=/own;
            proxy_pass http://$origin;
        }
        location /listed { cors { allow_origin null https://a.test; allow_methods PATCH POST; allow_headers *; } proxy_pass http://$origin; }
        location /plain { proxy_pass http://$origin; }
        location /outer/ {
            cors { allow_origin https://a.test; }
            location /outer/none { cors { } proxy_pass http://$origin; }
            location /outer/same { proxy_pass http://$origin; }
        }
    }
END
$w->write_file('users', "ann:{PLAIN}secret\n");
$w->conf($conf);
$w->allow_log(qr/ cause: (?:cors\.|auth\.)/);
my $preflight = sub ($path, $from, $method, $headers = undef) {
    my $a = $w->request('OPTIONS', $path, headers => [ 'Origin', $from, 'Access-Control-Request-Method', $method, $headers ? ('Access-Control-Request-Headers', $headers) : () ]);
    return join '|', $a->status, map { $a->header($_) // '-' } 'X-Cause', map { "Access-Control-$_" } qw(Allow-Origin Allow-Methods Allow-Headers Allow-Credentials Max-Age);
};
my $app = 'https://app.example.com';
is $preflight->('/items/1', 'https://x.test', 'GET'), '204|-|*|GET|-|-|-', 'the route that takes GET allows every origin';
is $preflight->('/items/1', $app, 'PUT', 'authorization, x-request-id'), "204|-|$app|PUT|authorization, x-request-id|true|600", 'the route that takes PUT this one, before it asks for a password';
is $preflight->('/items/1', $_, 'DELETE'), "204|-|$_|DELETE|-|true|600", "$_ is named" for 'https://a.b.dev.example.com:8443', 'https://pr-12.example.net';
is $preflight->('/items/1', $_, 'PUT'), '403|cors.origin|-|-|-|-|-', "$_ is not"
    for 'https://x.test', 'http://app.example.com', 'https://app.example.com:444', 'https://dev.example.com:8443', 'https://evil.test/.dev.example.com:8443', 'https://pr-1.example.net.evil.test', 'null', '', 'https://APP.example.com', 'https://app.example.com, https://x.test';
is $preflight->('/items/1', $app, 'PUT', 'X-Other'), '403|cors.header|-|-|-|-|-', 'a field that is not named';
is $preflight->('/items/1', $app, 'PUT', 'authorization,,'), "204|-|$app|PUT|authorization,,|true|600", 'empty elements of the list are none';
is $preflight->('/items/1', $app, 'PATCH'), '405|client.method|-|-|-|-|-', 'no route takes PATCH';
is $preflight->('/listed', 'null', 'PATCH', 'x-any'), '204|-|null|PATCH, POST|x-any|-|-', 'methods and fields of a list';
is $preflight->('/listed', 'https://a.test', 'GET'), '403|cors.method|-|-|-|-|-', 'a method that is not in it';
is $preflight->('/own', $app, 'PUT'), '200|-|-|-|-|-|-', 'a route for OPTIONS gets the preflight where cors does not stand';
like $preflight->('/plain', $app, 'PUT'), qr/^200\|-\|\*\|/, 'without cors it is the peer\'s';
is $w->request('OPTIONS', '/items/1', headers => [ 'Origin', $app ])->status, 405, 'OPTIONS that announces nothing is no preflight';

my $say = sub ($answer) { join '|', $answer->status, map { $answer->header($_) // '-' } qw(Access-Control-Allow-Origin Access-Control-Allow-Credentials Access-Control-Expose-Headers Vary) };
my $ask = sub ($method, $path, @headers) { $say->($w->request($method, $path, headers => \@headers)) };
is $ask->('GET', '/items/1', 'Origin', 'https://x.test'), '200|*|-|-|-', 'the answer of a place that allows all';
is $ask->('PUT', '/items/1', 'Origin', $app, 'Authorization', 'Basic YW5uOnNlY3JldA=='), "200|$app|true|X-Peer, ETag|Origin", 'of one that allows some';
is $ask->('PUT', '/items/1', 'Origin', $app), "401|$app|true|X-Peer, ETag|Origin", 'a refusal may be read, too';
is $ask->('PUT', '/items/1', 'Origin', 'https://x.test', 'Authorization', 'Basic YW5uOnNlY3JldA=='), '200|-|-|-|Origin', 'another origin gets no field, nor the peer\'s';
is $ask->('PUT', '/items/1', 'Authorization', 'Basic YW5uOnNlY3JldA=='), '200|-|-|-|Origin', 'no origin: caches are told all the same';
is $ask->('GET', '/outer/same', 'Origin', 'https://a.test'), '200|https://a.test|-|-|Origin', 'it holds in inner places';
is $ask->('GET', '/outer/none', 'Origin', 'https://a.test'), '200|*|true|-|-', 'an empty block takes it back';
is $ask->('GET', '/plain', 'Origin', 'https://a.test'), '200|*|true|-|-', 'what the peer says goes on where cors does not stand';

for my $bad ([ 'allow_origin *; allow_credentials on;', qr/takes no "\*"/ ], [ 'allow_origin example.com;', qr/expected origins/ ], [ 'allow_origin https://A.test;', qr/expected origins/ ],
    [ 'allow_origin https://a.test/;', qr/expected origins/ ], [ 'allow_origin https://a.*.test;', qr/expected origins/ ], [ 'allow_origin;', qr/needs origins/ ], [ 'allow_methods "GET,POST";', qr/expected methods/ ],
    [ 'max_age soon;', qr/needs a time/ ], [ 'allowed_origin *;', qr/unknown line "allowed_origin"/ ], [ 'allow_origin ~(;', qr/regular expression/ ])
{
    my ($code, $said) = $w->check_conf("cors { $bad->[0] }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], '… and told';
}
$w->allow_log(qr/\[emerg\]/);
done_testing;
