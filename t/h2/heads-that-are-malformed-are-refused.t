use v5.36;
use lib 't/lib';
use Weir::Test ();
use Test::More;
use Weir::Http2 ':all';
use Weir::Http2Cases;

my $t = Weir::Http2Cases->new('heads that are malformed are refused');

my @get  = Weir::Http2::request_fields();
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');
my $open = headers(1, 'END_HEADERS', @post);                       # stream 1 is open
my $half = headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold'));    # half closed, not answered

my $q = sub (%arg) { Weir::Http2::request_fields(':path' => '/echo', %arg) };
# §8.2.1
$t->malformed("§8.2.1 name '$_'", $q->(), $_ => 'v') for 'X-Upper', 'xUpper', '', 'a b', 'a:b', "a\0", "a\n", "a\r", "a\x7f", "\x80", ' a', 'a ', 'a"', 'a(';
$t->malformed('§8.2.1 value with ' . unpack('H*', $_), $q->(), 'x-v', $_) for "a\0b", "a\nb", "a\rb", "a\r\nb: c", ' a', 'a ', "\ta", "a\t", "\0", "\n";
# §8.2.2
$t->malformed("§8.2.2 $_->[0]: $_->[1]", $q->(), @$_) for [ connection => 'close' ], [ connection => 'keep-alive' ], [ 'proxy-connection' => 'x' ], [ 'keep-alive' => '1' ],
    [ 'transfer-encoding' => 'chunked' ], [ 'transfer-encoding' => 'identity' ], [ upgrade => 'websocket' ], [ te => 'gzip' ], [ te => 'trailers, deflate' ], [ 'http2-settings' => 'AAMAAABk' ];
$t->served('§8.2.2 te: trailers is fine', headers(1, 'END_STREAM END_HEADERS', $q->(te => 'trailers')));
# §8.3
my %all = (':method' => 'GET', ':scheme' => 'http', ':authority' => 'localhost', ':path' => '/echo');
$t->malformed("§8.3.1 without $_", $q->($_ => undef)) for qw(:method :scheme :path);
$t->malformed("§8.3.1 $_ twice", $q->(), $_ => $all{$_}) for sort keys %all;
$t->malformed('§8.3 an unknown one', ':nonsense' => 'x', $q->());
$t->malformed('§8.3 one of answers', ':status' => '200', $q->());
$t->malformed('§8.3 behind a regular field', ':method' => 'GET', ':scheme' => 'http', ':path' => '/echo', 'x-a' => '1', ':authority' => 'localhost');
$t->malformed("§8.3.1 :path '$_'", $q->(':path' => $_)) for '', 'echo', '*', 'http://localhost/echo', "/a b", "/a\r\nb", "/a\0", "/a#\x01", '?a';
$t->served("§8.3.1 :path '$_->[0]' goes on as $_->[1]", headers(1, 'END_STREAM END_HEADERS', $q->(':path' => $_->[0])),
    sub ($seen) { $seen->target eq $_->[1] ? () : $seen->target }) for [ '/echo#b', '/echo' ], [ "/echo\x80", '/echo%80' ];
$t->malformed("§8.3.1 :scheme '$_'", $q->(':scheme' => $_)) for '', 'ftp', 'ht tp', 'http:', 'HTTP/1.1';
$t->malformed("§8.3.1 :method '$_'", $q->(':method' => $_)) for '', 'G T', "GET\r\n", 'GET /', "\0", 'GET:';
$t->malformed("§8.3.1 :authority '$_'", $q->(':authority' => $_)) for 'user@localhost', 'local host', "a\r\nb", 'a/b', 'a#b', 'a?b', 'a,b', 'a:b:c', 'a:99999999', "a\0", '[::1';
$t->malformed('§8.3.1 neither :authority nor Host', $q->(':authority' => undef));
$t->malformed('§8.3.1 :authority and another Host', $q->(host => 'other'));
$t->malformed('§8.3.1 two Hosts', $q->(':authority' => undef), host => 'localhost', host => 'localhost');
$t->served('§8.3.1 Host alone', headers(1, 'END_STREAM END_HEADERS', $q->(':authority' => undef), host => 'localhost'));
$t->served('§8.3.1 both, the same', headers(1, 'END_STREAM END_HEADERS', $q->(host => 'localhost')),
    sub ($seen) { 1 == (my @all = $seen->header('Host')) ? () : 'not one Host' });
$t->case('§8.3.1 OPTIONS *', headers(1, 'END_STREAM END_HEADERS', $q->(':method' => 'OPTIONS', ':path' => '*')), qr/^[2-5]\d\d$/, waits => 1);
# §8.5
$t->malformed('§8.5 CONNECT with :path and :scheme', $q->(':method' => 'CONNECT'));
$t->malformed('§8.5 CONNECT without :authority', ':method' => 'CONNECT');
$t->case('§8.5 CONNECT is not served', headers(1, 'END_HEADERS', ':method' => 'CONNECT', ':authority' => 'localhost:80'), '405', waits => 1);
# RFC 8441
$t->malformed('RFC 8441 §4 :protocol with GET', $q->(':protocol' => 'websocket'));
$t->malformed('RFC 8441 §4 :protocol without :path', ':method' => 'CONNECT', ':protocol' => 'websocket', ':authority' => 'localhost');
$t->malformed('RFC 8441 §4 another protocol', $q->(':method' => 'CONNECT', ':protocol' => 'nonsense'));

$t->done;
