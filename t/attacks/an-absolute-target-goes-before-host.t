# RFC 9112 §3.2.2 has the target win: whatever Host said is replaced by it, for everybody who reads that field.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('an absolute target goes before Host', server => 'location /host { proxy_set_header Host $http_host; proxy_set_header X-Host "$host|$http_host"; proxy_pass http://origin; }');

my $refused = sub ($target, $host) {
    $a->refused("$target with Host: $host", "GET $target HTTP/1.1\r\nHost: $host\r\n\r\n") };
$refused->(@$_)
    for [ 'http://other/', 'local host' ], [ 'http://user@localhost/', 'localhost' ], [ 'http://user:pass@localhost/', 'localhost' ],
    [ 'http://other@localhost/', 'other' ], [ 'http:///', 'localhost' ],
    [ 'http:/localhost/', 'localhost' ], [ 'http://', 'localhost' ], [ 'ftp://localhost/', 'localhost' ],
    [ 'file:///etc/passwd', 'localhost' ], [ '://localhost/', 'localhost' ],
    [ 'http://localhost:x/', 'localhost' ], [ 'http://localhost:99999/', 'localhost' ],
    [ 'http://[::1/', 'localhost' ], [ 'http://local%68ost/', 'localhost' ],
    [ 'http://localhost\\@other/', 'localhost' ], [ 'http://localhost#@other/', 'localhost' ], [ 'http://a,b/', 'a' ],
    [ 'ht tp://localhost/', 'localhost' ];
$a->refused('without Host', "GET http://localhost/ HTTP/1.1\r\n\r\n");

my $host = sub ($host, $name) { sub ($seen) {
    ($seen->header('Host') eq $host ? () : 'Host ' . $seen->header('Host'), $seen->header('X-Host') eq "$name|$host" ? () : $seen->header('X-Host')) } };
$a->forwarded("$_->[0] with Host: $_->[1]", "GET $_->[0] HTTP/1.1\r\nHost: $_->[1]\r\n\r\n", $host->($_->[2], $_->[3]))
    for [ 'http://other/host', 'localhost', 'other', 'other' ], [ 'http://localhost:8080/host', 'localhost', 'localhost:8080', 'localhost' ],
    [ 'http://localhost/host', 'localhost:8080', 'localhost', 'localhost' ], [ 'http://LocalHost:81/host', 'localhost:82', 'LocalHost:81', 'localhost' ],
    [ 'http://localhost:/host', 'x', 'localhost', 'localhost' ];

my $path = sub ($want) { sub ($seen) { $seen->target eq $want ? () : 'target ' . $seen->target } };
$a->forwarded('the same', "GET http://localhost/a?b HTTP/1.1\r\nHost: localhost\r\n\r\n", $path->('/a?b'));
$a->forwarded('other case', "GET HTTP://LocalHost/a HTTP/1.1\r\nHost: localhost\r\n\r\n", $path->('/a'));
$a->forwarded('no path', "GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n", $path->('/'));
$a->forwarded('no path but a query', "GET http://localhost?a HTTP/1.1\r\nHost: localhost\r\n\r\n",
    $path->('/?a'));
$a->forwarded('in 1.0 without Host', "GET http://localhost/a HTTP/1.0\r\n\r\n", $path->('/a'));

$a->done;
