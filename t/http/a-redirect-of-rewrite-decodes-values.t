# rewrite … redirect: an argument that is (a part of) the address may have come encoded, as it does in ?url=http%3A%2F%2F…; line ends and the like stay so.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a redirect of rewrite decodes values');
$w->conf(<<'END', workers => 1);
    server {
        server_name go;
        rewrite ^/whole$ $arg_url? redirect;
        rewrite ^/part$ https://$arg_url? permanent;
        rewrite ^/query$ https://a/?to=$arg_url? redirect;
        rewrite ^/set(.*)$ http://b/$arg_url$1? redirect;
        location /inside { rewrite ^/inside /shown/$arg_url? last; }
        location /shown { return 200 $uri; }
    }
END
my $to = sub ($target) { my $a = $w->get($target); $a->header('Location') // $a->body };
my $url = 'http%3A%2F%2Fx%2Fa%20b%0d%0aX%3A1%3Fq%3D1%26b';
is $to->("/whole?url=$url"), 'http://x/a%20b%0d%0aX:1?q%3D1%26b', 'a whole address, up to its query';
is $to->('/part?url=x%2Fa%C3%BC%7e%22%25%zz%4'), 'https://x/a%C3%BC~%22%25%zz%4', 'bytes that may not stand there stay encoded';
is $to->("/query?url=$url"), "https://a/?to=$url", 'nothing is decoded in a query';
is $to->('/set/c%3Fd?url=%41%2fb'), 'http://b/A/b/c%3Fd', 'a group of the path stays encoded: its %3F is no query';
is $to->('/inside?url=%41%2e'), '/shown/%41%2e', 'nor does a rewrite inside';
done_testing;
