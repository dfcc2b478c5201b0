# What two readers would cut or decode differently is refused; the rest goes on in its normal form.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a target has one reading');

my $refused = sub ($name, $target) {
    $a->refused("$name " . show($target), "GET $target HTTP/1.1\r\nHost: localhost\r\n\r\n") };
$refused->('', $_) for "/\x00", "/a\x01b", "/a\x1fb", "/a\x7f", "/\xc0\xaf", "/a#\x01", '/\\x',
    '/a\\b', 'x', 'index.html', '?a=b', '*', '/%00', '/a%00b', '/%',
    '/%4', '/%zz', '/a%2', '/%u002f', "/?a=\x01", "/?a\x7fb", 'localhost', 'localhost:80', '//\\',
    'javascript:x';
# %0d%0a is data: it stays encoded to the end
for my $target ('/a%0d%0aX:%20y', '/%0D%0A') {
    $a->judged("$target", "GET $target HTTP/1.1\r\nHost: localhost\r\n\r\n", sub ($seen) {
        return ((uc $seen->target eq uc $target ? () : $seen->target), (defined $seen->header('X') ? 'header' : ())) });
}
$a->forwarded('in a query', "GET /?a=%0d%0aX:%20y&b=%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", sub ($seen) {
    lc $seen->target eq '/?a=%0d%0ax:%20y&b=%00' ? () : $seen->target });
$a->forwarded("$_ is a target", "GET $_ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    sub ($seen) { $seen->target eq $_ ? () : $seen->target })
    for '/', '/a', '/a/', '/?', '/?a', '/a?b=c&d', '/a;b=c/d', "/-._~!\$&'()*+,;=:@", '/%20', '/%25', '/?a=%zz',
        '/?/../..';
$a->forwarded("@{[ show($_->[0]) ]} goes on as $_->[1]", "GET $_->[0] HTTP/1.1\r\nHost: localhost\r\n\r\n",
    sub ($seen) { $seen->target eq $_->[1] ? () : $seen->target })
    for [ "/\xe9", '/%E9' ], [ "/\xc3\xa9", '/%C3%A9' ], [ "/?\xe9", '/?%E9' ], [ '/a#b', '/a' ], [ '/#', '/' ], [ '/?a#b', '/?a' ],
        [ '/a/../b#/../c', '/b' ];
$a->forwarded('OPTIONS *', "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    sub ($seen) { $seen->target =~ m{^[*/]$} ? () : $seen->target });

$a->done;
