# Where proxy_pass has a path or variables, a client's path makes no dot segment, no query and no fragment of the target toward a peer; nor of redirects.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('what goes upstream is a normal form, whatever made it')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->target) });
$w->allow_log(qr/cause: (?:client|upstream)\./);
$w->conf(<<"END", workers => 1);
    upstream u { server $origin; }
    map \$uri \$mapped { ~^/map(.*)\$ /m\$1; ~^/map2(?<tail>.*)\$ /n\$tail; default /none; }
    server {
        location /a { proxy_pass http://$origin/b/; }
        location /q { proxy_pass http://$origin/b?x=; }
        location /s { proxy_pass http://$origin/b; }
        location ~ ^/v(.*)\$ { proxy_pass http://u/base\$1; }
        location ~ ^/n(?<rest>.*)\$ { proxy_pass http://u/base\$rest; }
        location ~ ^/set(.*)\$ { set \$x /base\$1; proxy_pass http://u\$x; }
        location ~ ^/arg(.*)\$ { set \$x \$1; proxy_pass http://u/x?path=\$x&y=\$1; }
        location ~ ^/all(.*)\$ { set \$x \$1\$is_args\$args; proxy_pass http://u\$x; }
        location /uri { proxy_pass http://u\$uri; }
        location /target { proxy_pass http://u\$request_uri; }
        location /map { proxy_pass http://u\$mapped; }
        location /if { if (\$uri ~ ^/if(.*)\$) { proxy_pass http://u/base\$1; } }
        location /raw { if (\$request_uri ~ ^/raw(.*)\$) { set \$r \$1; } proxy_pass http://u\$r; }
        location /given { proxy_pass http://u/\$arg_to; }
        location /out { return 302 http://h\$uri; }
        location /moved { rewrite ^/moved(.*)\$ http://h\$1 redirect; }
        location /end { proxy_pass http://u?y=\$arg_y; }
    }
END
my $is = sub ($path, $want, $name = $path) {
    my $answer = $w->get($path);
    is $answer->status == 200 ? $answer->body : $answer->status, $want, $name;
};
# dot segments where proxy_pass's path and the rest meet
$is->('/a/x', '/b//x');
$is->($_, 400) for '/a../x', '/a..', '/a./x', '/a.', '/a..;/x', '/a..%3b/x', '/a..%2fx', '/a..%5cx', '/v/../../x', '/n/..%2fx';
$is->('/s../x', '/b../x', 'a name that ends in dots is none');
$is->('/a.x', '/b/.x');
$is->('/q../x', '/b?x=../x', 'nor are dots in a query');
# what a client encoded stays so
$is->('/v%3fa=b', '/base%3Fa=b');
$is->('/v%23a', '/base%23a');
$is->('/v%253fa', '/base%253fa', '/v%253fa');
$is->('/v%20x%0dy', '/base%20x%0Dy');
$is->('/v/%c3%a9', '/base/%C3%A9');
$is->('/n%3fa=b', '/base%3Fa=b', 'a group with a name');
$is->('/set%3fa=b', '/base%3Fa=b', 'by way of set');
$is->('/set/a%26b;c', '/base/a&b;c', 'what may stand in a path stays');
$is->('/arg/a%26b%3fc%23', '/x?path=/a%26b%3Fc%23&y=/a%26b%3Fc%23', 'in a query it stays one value');
$is->('/all/a%3f?k=1&l=%26', '/a%3F?k=1&l=%26', 'a query of the client is one');
$is->('/uri%3fa?k', '/uri%3Fa');
$is->('/uri/a%2Fb', '/uri/a%2Fb');
$is->('/target/x/../y%41?a=%3f', '/target/yA?a=%3f', '$request_uri is normal, too');
$is->('/map%3fa', '/m%3Fa', 'by way of map');
$is->('/if%3fa', '/base%3Fa', 'a pattern of if');
$is->('/raw/%41%3fa?b', '/A%3Fa?b', 'what is encoded is not encoded twice');
$is->('/given?to=a%20b%zz', '/a%20b%25zz', 'a percent sign that begins nothing');
$is->('/given?to=../x', 400);
$is->('/end?y=1', '/?y=1', 'a query without a path');
is $w->get('/out%3fa%23b%25')->header('Location'), 'http://h/out%3Fa%23b%25', 'a redirect to $uri';
is $w->get('/moved/%3fa%23b')->header('Location'), 'http://h/%3Fa%23b', 'a redirect of rewrite';
done_testing;
