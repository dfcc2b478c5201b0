# What is wrong with health_check and match is an error with its line, which says what was read and what is expected.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('misuse of health checks is told');
my $at = sub ($check, $http = '') { "$http upstream u { server 127.0.0.1:1; } server { location / { proxy_pass http://u; health_check $check; } }" };
my @rows = (
    [ $at->('interval=1ms'),               qr/invalid value "interval=1ms" in "health_check" directive: expected a time of at least 10ms/ ],
    [ $at->('interval=often'),             qr/expected a time/ ],
    [ $at->('jitter=x'),                   qr/expected a time/ ],
    [ $at->('fails=0'),                    qr/invalid value "fails=0".*expected a number from 1 to 1000/ ],
    [ $at->('passes=1001'),                qr/expected a number from 1 to 1000/ ],
    [ $at->('port=70000'),                 qr/expected a number from 1 to 65535/ ],
    [ $at->('uri=health'),                 qr/expected a path that begins with "\/"/ ],
    [ $at->('"uri=/a b"'),                 qr/expected a path, encoded as it is sent/ ],
    [ $at->('match='),                     qr/expected the name of a match block/ ],
    [ $at->('match=m'),                    qr/unknown match "m" in/ ],
    [ $at->('persistent'),                 qr/"persistent" of "health_check" needs "mandatory"/ ],
    [ $at->('type=udp'),                   qr/expected http, grpc or tcp/ ],
    [ $at->('grpc_service=x'),             qr/need "type=grpc"/ ],
    [ $at->('uri=/$uri'),                  qr/expected a path without variables: a check is of no request/ ],
    [ $at->('"uri=/${host}"'),             qr/expected a path without variables/ ],
    [ $at->('type=grpc uri=/x'),           qr/"uri" of "health_check" is for "type=http" only/ ],
    [ $at->('type=tcp uri=/x'),            qr/"uri" of "health_check" is for "type=http" only/ ],
    [ $at->('type=grpc match=m', 'match m { status 200; }'), qr/"match" of "health_check" is not for "type=grpc"/ ],
    [ $at->('type=grpc grpc_status=17'),   qr/expected a number from 0 to 16/ ],
    [ $at->('type=tcp match=m', 'match m { status 200; }'),  qr/match "m" has status, header, body or require, which "type=tcp" has no use for/ ],
    [ $at->('match=m', 'match m { send x; }'),               qr/match "m" has send or expect, which "type=http" has no use for/ ],
    [ $at->('often'),                      qr/invalid value "often" in "health_check" directive: expected interval=/ ],
    [ $at->('uri=/ uri=/'),                qr/"uri=" stands twice/ ],
    [ 'server { location / { return 200; health_check; } }', qr/"health_check" has nothing to check: there is no proxy_pass or grpc_pass/ ],
    [ 'server { location / { proxy_pass http://$arg_x; health_check; } }', qr/has nothing to check: which servers/ ],
    [ 'server { health_check; }',          qr/"health_check" directive is not allowed here/ ],
    [ 'upstream u { server 127.0.0.1:1; ' . join(' ', map { "health_check uri=/$_;" } 1 .. 5) . ' }', qr/upstream "u" has more than 4 different health checks/ ],
    [ 'match m { status 200; } match m { status 200; }', qr/duplicate match "m"/ ],
    [ 'match "" { status 200; }',          qr/empty name of "match"/ ],
    [ 'match m { status; }',               qr/"status" names no status/ ],
    [ 'match m { status !; }',             qr/"status" names no status/ ],
    [ 'match m { status 99; }',            qr/expected a status such as 200, or a range/ ],
    [ 'match m { status 300-200; }',       qr/expected a status such as 200, or a range/ ],
    [ 'match m { header; }',               qr/invalid "header": expected a name/ ],
    [ 'match m { header "a b"; }',         qr/expected the name of a header/ ],
    [ 'match m { header A like b; }',      qr/expected =, !=, ~, ~\*, !~ or !~\*/ ],
    [ 'match m { body = x; }',             qr/expected ~, ~\*, !~ or !~\*/ ],
    [ 'match m { body x; }',               qr/invalid "body": expected ~ or !~ and a regular expression/ ],
    [ 'match m { body ~ "("; }',           qr/missing closing parenthesis/ ],
    [ 'match m { send a; send b; }',       qr/"send" stands twice/ ],
    [ 'match m { expect; }',               qr/invalid "expect": expected a text/ ],
    [ 'match m { status 200; header Content-Type = text/html; status 204; }', qr/"status" stands twice: expected one with all/ ],
    [ 'match m { statut 200; }',           qr/unknown condition "statut" of "match": expected status, header, body, / ],
    [ 'match m { require; }',              qr/invalid "require": expected variables/ ],
    [ 'match m { require $nothing; }',     qr/unknown "nothing" variable/ ],
    [ $at->('match=m', 'match m { require $request_uri; }'), qr/"require" of match "m" asks for "\$request_uri", which a health check has not/ ],
    [ $at->('match=m', 'map $arg_x $y { default 1; } match m { require $y; }'), qr/asks for "\$arg_"/ ],
    [ 'match m { match x { } }',           qr/unexpected "\{" inside "match"/ ],
);
$w->allow_log(qr/\[emerg\]/);
for (@rows) {
    my ($text, $said) = @$_;
    my ($code, $output) = $w->check_conf($text);
    ok $code != 0 && $output =~ $said && $output =~ /:\d+/, $text =~ s/upstream u \{ server 127.0.0.1:1; \}//r or diag $output;
}
for my $text (
    'upstream u { server 127.0.0.1:1; ' . join(' ', map { "health_check uri=/$_;" } 1 .. 4) . ' }',
    'upstream u { server 127.0.0.1:1; } server { location / { proxy_pass http://u; health_check; } location /b { proxy_pass http://u; health_check; }
        location /c { proxy_pass http://u; health_check; } location /d { proxy_pass http://u; health_check; } location /e { proxy_pass http://u; health_check; } }',
    'server { location / { proxy_pass http://127.0.0.1:1; health_check interval=5s jitter=1s fails=3 passes=2 uri=/x?y port=1 mandatory persistent keepalive_time=60s; } }',
    'server { location / { grpc_pass grpc://127.0.0.1:1; health_check mandatory type=grpc grpc_status=12; } }',
    'match r { status ! 500; } server { location / { proxy_pass http://127.0.0.1:1 weight=1; proxy_pass http://127.0.0.1:2 weight=2; health_check match=r; } }',
    'server { route r { match path=/x/; proxy_pass http://127.0.0.1:1; health_check; } }',
) {
    my ($code, $output) = $w->check_conf($text);
    is $code, 0, 'good: ' . substr($text, 0, 100) or diag $output;
}

done_testing;
