# pcre_jit behind the http block: patterns of rewrite and if, read before it, still fill their named groups.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('pcre jit may be said behind what has patterns');
$w->conf(<<'END');
http {
    server {
        location /a { rewrite ^/a/(?<rest>.*)$ /b/$rest last; }
        location /b { if ($arg_q ~ ^x(?<more>.*)$) { return 200 "$uri $more"; } return 200 $uri; }
        location ~ ^/c/(?<third>.*)$ { return 200 $third; }
    }
}
pcre_jit off;
END
is $w->get('/a/q')->body, '/b/q', 'rewrite';
is $w->get('/b?q=xyz')->body, '/b yz', 'if';
is $w->get('/c/d')->body, 'd', 'location';

done_testing;
