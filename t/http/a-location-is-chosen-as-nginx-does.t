use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a location is chosen as nginx does');
$w->conf(<<'END');
    server {
        location / { return 200 root; }
        location = / { return 200 exact-root; }
        location /a { return 200 prefix-a; }
        location /a/ { return 200 prefix-a-slash; }
        location = /a/exact { return 200 exact; }
        location ^~ /static/ { return 200 static; }
        location ~ \.php$ { return 200 "php"; }
        location ~* \.(gif|jpe?g)$ { return 200 "image $1"; }
        location ~ ^/re/(?<id>\d+)/(.*)$ { return 200 "re $id $2"; }
        location /outer/ {
            return 200 outer;
        }
        location /nest/ {
            location /nest/deep/ { return 200 deep; }
            location ~ \.txt$ { return 200 nested-regex; }
            location = /nest/one { return 200 nested-exact; }
        }
        location "/with space/" { return 200 space; }
    }
END

my %want = (
    '/' => 'exact-root', '/?x' => 'exact-root', '/x' => 'root', '/a' => 'prefix-a', '/ab' => 'prefix-a',
    '/a/' => 'prefix-a-slash', '/a/b' => 'prefix-a-slash', '/a/exact' => 'exact', '/a/exact/' => 'prefix-a-slash',
    '/x.php' => 'php', '/a/x.php' => 'php', '/x.PHP' => 'root', '/static/x.php' => 'static', '/static' => 'root',
    '/x.GIF' => 'image GIF', '/x.jpeg' => 'image jpeg', '/x.php?a.gif' => 'php',
    '/re/42/rest/of' => 're 42 rest/of', '/re/x/y' => 'root', '/nest/deep/x' => 'deep',
    '/nest/x.txt' => 'nested-regex', '/nest/one' => 'nested-exact', '/x.txt' => 'root', '/with%20space/x' => 'space',
    '/nest/deep/x.txt' => 'nested-regex', '/nest/x.php' => 'php', '/%61/exact' => 'exact',
);
is $w->get($_)->body, $want{$_}, $_ for sort keys %want;

my $answer = $w->get('/nest/x');
is $answer->status, 404, 'a location with nothing to answer with';

done_testing;
