# Ten of these pass Varnish, eight pass h2o.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('Host is one plain authority');

$a->refused('none', "GET / HTTP/1.1\r\nX: y\r\n\r\n");
$a->refused("$_->[0]", "GET / HTTP/1.1\r\n$_->[1]\r\n\r\n")
    for [ 'two, same', "Host: localhost\r\nHost: localhost" ], [ 'two, different', "Host: localhost\r\nHost: other" ],
    [ 'two in 1.0 style', "Host: a\r\nX: y\r\nhost: b" ],
    [ 'then empty', "Host: localhost\r\nHost:" ];
for my $host ('', ' ', 'a,b', 'a, b', 'user@localhost', 'u:p@localhost', 'localhost/', 'localhost/x', '/localhost',
    'a b', "a\x00b", 'a%0db', 'a%00', 'localhost:x',
    'localhost:80x', 'localhost:-1', 'localhost:99999', 'localhost:0', 'localhost:080', 'localhost:80:80', '[::1',
    '::1', '[::1]x', '[x]', '[]', 'a#b', 'a?b', "\xe9", "a\xe9", 'a\\b',
    'x' x 256, ('x' x 64) . '.a', 'a..b', '.a', ':80', '@', 'a;b', 'a"b', 'a<b', 'a|b', 'a{b', 'a^b', 'http://a', 'a=b')
{
    $a->refused('' . show($host, 40), "GET / HTTP/1.1\r\nHost: $host\r\n\r\n");
}
$a->refused('two in 1.0', "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n");
$a->refused('bad in 1.0', "GET / HTTP/1.0\r\nHost: a b\r\n\r\n");

$a->forwarded('none in 1.0 is the default server', "GET / HTTP/1.0\r\n\r\n");
$a->forwarded("$_ is fine", "GET / HTTP/1.1\r\nHost: $_\r\n\r\n")
    for 'localhost', 'LOCALHOST', 'localhost:80', '127.0.0.1', '127.0.0.1:8080', '[::1]', '[::1]:8080', 'localhost:', '[::1]:', 'a.b.c',
        'a-b.c', 'a_b.c', 'localhost.', ('x' x 63) . '.a';

$a->done;
