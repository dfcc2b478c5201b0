# $http_NAME, $cookie_NAME, $arg_NAME: a map, a geo or set may define one of these names; it wins, also where it is used before.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a name under a prefix may be defined');
$w->conf(<<'END');
    server {
        location /map { return 200 "$http_referer_filtered|$http_referer"; }
        location /set { set $arg_a "set"; return 200 "$arg_a|$arg_b"; }
        location /before { return 200 "$cookie_late"; }
    }
    map $http_referer $http_referer_filtered { default $http_referer; ~^(?<left>.*)\? $left; }
    map $arg_a $cookie_late { default none; 1 one; }
END
is $w->client->get('/map', Referer => 'http://a/b?secret', 'Referer-Filtered' => 'forged')->body, 'http://a/b|http://a/b?secret', 'a map: never the field of that name';
is $w->get('/set?a=1&b=2')->body, 'set|2', 'set, and its neighbour is still of the query';
is $w->get('/before?a=1')->body, 'one', 'used before its map';
done_testing;
