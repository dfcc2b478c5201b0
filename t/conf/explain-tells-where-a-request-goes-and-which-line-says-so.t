# `weir explain`: listener, server, route or location, rewrites, policies in their order, target and what it is asked, each with file and line; the
# exit code tells the outcome, and --json has the same facts.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('explain tells where a request goes and which line says so')->needs_weir;
my $conf = $w->conf_file;
$w->conf_main(<<'END');
error_log logs/error.log;
events { }
http {
    upstream api {
        server 127.0.0.1:8001 weight=2;
        server 127.0.0.1:8002;
    }
    limit_req_zone $binary_remote_addr zone=rate:1m rate=5r/s;
    server {
        listen 8080;
        server_name shop.example
                    *.example.org;
        rewrite ^/old/(.*)$ /api/$1;
        auth_basic "shop"; auth_basic_user_file users;
        route orders {
            match path_template=/users/{id}/orders method=GET|POST;
            match path=/orders header:X-Canary=on;
            return 200 "$route of $route_id";
        }
        route users {
            match path_prefix=/users;
            auth_basic off;
            proxy_pass http://api/u;
        }
        location /api/ {
            limit_req zone=rate burst=3;
            allow 10.0.0.0/8;
            deny all;
            proxy_pass http://api;
            proxy_set_header Host inner.example;
            if ($http_x_kind = fancy) { proxy_pass http://127.0.0.1:9; }
        }
        location ~ ^/api/x { return 302 /elsewhere; }
        location /files/ { root /srv; }
        location = /hidden { internal; }
        location /moved { redirect host=new.example prefix=/here; }
    }
    server { listen 8080; server_name bare.example; }
}
END
$w->write_file('users', "u:{PLAIN}p\n");
my $n = 0;
my %at;
for (split /\n/, Weir::Server::slurp($conf)) { $n++; $at{$1} //= $n if /^\s*(.*?)\s*;?\s*\{?$/ }
my $explain = sub (@words) { $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', @words) };
my @user = ('-H', 'Authorization: Basic dTpw');            # whoever it is: that a password is right is not known
my $facts = sub (@words) { my ($code, $said) = $explain->(@words, @user, '--json'); return ($code, Weir::Json::decode($said)) };
my $where = sub ($line) { "$conf:" . ($at{$line} // die "no line $line\n") };

my ($code, $said) = $explain->('POST http://shop.example:8080/users/7/orders?x=1');
is $code, 0, 'a route answers';
like $said, qr/\APOST http:\S+\n  outcome   answered\n/, 'which is told first';
like $said, qr/^  listener  0\.0\.0\.0:8080  \(\Q$conf\E:10\)$/m, 'the listener';
like $said, qr/^  server    "shop\.example", exact name  \(\Q$conf\E:11\)$/m, 'the server and its name';
like $said, qr/^  route     orders  \(\Q@{[ $where->('route orders') ]}\E\)\n            match path_template=\/users\/\{id\}\/orders method=GET\|POST  \(\Q$conf\E:16\)$/m, 'the route and its line';
like $said, qr/^  not       route users: it holds, but its path is less specific  \(/m, 'why not the next best';
like $said, qr/^  answer    200$/m, 'the answer';

(my $f, undef) = reverse $facts->('GET http://a.example.org:8080/users/7');
is $f->{outcome}, 'passed', 'a route passes on';
is "$f->{server}{name} $f->{server}{how}", '*.example.org wildcard name', 'the server by a wildcard';
is $f->{route}{name}, 'users', 'the route';
is $f->{route}{match}{at}, $where->('match path_prefix=/users'), 'its line';
like $f->{others}[0]{why}, qr/condition of the|holds|argument|method/, 'others' if $f->{others}->@*;
is $f->{target}{target}, '/u/7', 'what the peer is asked: the path of proxy_pass in place of the prefix';
is $f->{target}{host}, 'api', 'and its Host';
is $f->{target}{upstream}{at}, $where->('upstream api'), 'the group';
is_deeply [ map { $_->{line} } $f->{target}{upstream}{servers}->@* ], [ 'server 127.0.0.1:8001 weight=2', 'server 127.0.0.1:8002' ], 'its servers';
is_deeply [ grep { /basic/ } map { $_->{module} } $f->{policies}->@* ], [], 'a policy that is off here is none';

($code, $f) = $facts->('GET http://shop.example:8080/old/k%20?q=1', '--ip', '10.1.1.1');
is $code, 0, 'a path that is rewritten';
is $f->{location}{name}, '/api/', 'its location';
is_deeply [ map { "$_->{line} $_->{path} $_->{query}" } $f->{rewrites}->@* ], ['rewrite ^/old/(.*)$ /api/$1 /api/k  q=1'], 'the rewrite and its result';
is $f->{rewrites}[0]{at}, "$conf:13", 'where it is said';
is_deeply [ map { "$_->{phase} $_->{module}" } $f->{policies}->@* ], [ 'preaccess http_limit_req', 'access http_access', 'access http_auth_basic' ], 'policies in their order';
is_deeply [ map { "$_->{line} " . ($_->{inherited} ? 1 : 0) } map { $_->{lines}->@* } grep { $_->{module} eq 'http_access' } $f->{policies}->@* ], [ 'allow 10.0.0.0/8 0', 'deny all 0' ], 'with their lines'
    or diag explain $f->{policies};
my ($basic) = grep { $_->{module} eq 'http_auth_basic' } $f->{policies}->@*;
is $basic->{lines}[0]{at}, "$conf:14", 'or those of the server';
ok $basic->{lines}[0]{inherited}, 'which are inherited';
is "$f->{target}{method} $f->{target}{target} $f->{target}{host}", 'GET /api/k%20?q=1 inner.example', 'the request toward the peer';
(undef, $f) = $facts->('GET http://shop.example:8080/api/', '-H', 'X-Kind: fancy');
is $f->{target}{upstream}{name}, '127.0.0.1:9', 'an if of a field holds';
like $f->{location}{part}{line}, qr/^if \(\$http_x_kind = fancy\)$/, 'and is told';

(undef, $f) = $facts->('GET http://shop.example:8080/api/x');
is $f->{location}{name}, '~ ^/api/x', 'a pattern';
is_deeply [ map { "$_->{name}: $_->{why}" } $f->{others}->@* ], ['/api/: a pattern comes before a prefix'], 'wins over a prefix';
is "$f->{answer}{status} $f->{answer}{location}", '302 http://shop.example:8080/elsewhere', 'and sends elsewhere';
(undef, $f) = $facts->('GET http://shop.example:8080/moved/x');
is "$f->{answer}{status} $f->{answer}{location}", '302 http://new.example:8080/here/x', 'a redirect is told';
(undef, $f) = $facts->('GET http://shop.example:8080/files/a.txt');
is $f->{target}{file}, '/srv/files/a.txt', 'a file by its name';
is $f->{target}{root}[0]{at}, $where->('location /files/ { root /srv; }'), 'and where the folder is said';

($code, $f) = $facts->('GET http://nobody.example:8080/none');
is $f->{server}{how}, 'default server of the listener', 'a host that nobody has';
is "$code $f->{outcome}", '2 unrouted', 'no route and no location';
is +($facts->('GET http://bare.example:8080/'))[0], 2, 'neither in a server without any';
($code, $f) = $facts->('GET http://shop.example/');
is "$code $f->{outcome} $f->{problem}", '2 no listener no server listens at this port', 'no listener';
is +($facts->('GET https://shop.example:8080/'))[0], 2, 'nor one with TLS';
($code, $f) = $facts->('GET http://shop.example:8080/hidden');
is "$code $f->{outcome} $f->{answer}{status} $f->{answer}{cause}", '3 refused 404 route.internal', 'refused: internal';
($code, $f) = $facts->('GET http://shop.example:8080/%zz');
is "$code $f->{outcome} $f->{answer}{cause}", '3 refused client.target', 'refused: the path';
($code, $f) = $facts->('GET http://shop.example:8080/', '-H', 'Bad Name: x');
is "$code $f->{outcome}", '3 refused', 'refused: a field';
like $f->{problem}, qr/\S/, 'which is told';

$w->write_file('lines', "GET http://shop.example:8080/api/\tX-Kind: fancy\n\nhttp://shop.example:8080/files/\nGET http://nobody.example:8080/\n");
($code, $said) = $w->command(20, 'sh', '-c', 'exec "$0" "$@" < ' . $w->dir . '/lines', $w->bin, '-p', $w->dir . '/', '-c', 'nowhere', '-e', 'stderr', 'explain', '-c', 'conf/weir.conf', @user, '--json', '-');
is $code, 2, 'many requests: the highest code';
my @all = map { Weir::Json::decode($_) } split /\n/, $said;
is_deeply [ map { $_->{target}{upstream}{name} // $_->{outcome} } @all ], [ '127.0.0.1:9', 'answered', 'unrouted' ], 'a line each; the file is named behind the tool';
done_testing;
