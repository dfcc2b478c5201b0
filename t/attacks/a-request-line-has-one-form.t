# Everything else is refused, and nothing is ever answered in HTTP/0.9.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a request line has one form');

my $rest = "\r\nHost: localhost\r\n\r\n";
my %cases = (
    'two spaces'              => 'GET  / HTTP/1.1',
    'two spaces behind'       => 'GET /  HTTP/1.1',
    'tab'                     => "GET\t/ HTTP/1.1",
    'tab behind'              => "GET /\tHTTP/1.1",
    'leading space'           => ' GET / HTTP/1.1',
    'trailing space'          => 'GET / HTTP/1.1 ',
    'trailing tab'            => "GET / HTTP/1.1\t",
    'no target'               => 'GET HTTP/1.1',
    'empty target'            => 'GET  HTTP/1.1',
    'no method'               => '/ HTTP/1.1',
    'empty method'            => ' / HTTP/1.1',
    'method with @'           => 'G@T / HTTP/1.1',
    'method with a colon'     => 'GET: / HTTP/1.1',
    'method with a high byte' => "G\xc9T / HTTP/1.1",
    'method with NUL'         => "G\x00T / HTTP/1.1",
    'lower-case http'         => 'GET / http/1.1',
    'Http'                    => 'GET / Http/1.1',
    'HTTP/1'                  => 'GET / HTTP/1',
    'HTTP/1.'                 => 'GET / HTTP/1.',
    'HTTP/.1'                 => 'GET / HTTP/.1',
    'HTTP/01.1'               => 'GET / HTTP/01.1',
    'HTTP/1.01'               => 'GET / HTTP/1.01',
    'HTTP/1.10'               => 'GET / HTTP/1.10',
    'HTTP/1,1'                => 'GET / HTTP/1,1',
    'HTTP/0.9'                => 'GET / HTTP/0.9',
    'HTTP/+1.1'               => 'GET / HTTP/+1.1',
    'HTTP /1.1'               => 'GET / HTTP /1.1',
    'HTTQ'                    => 'GET / HTTQ/1.1',
    'HTTPS'                   => 'GET / HTTPS/1.1',
    'a fourth word'           => 'GET / HTTP/1.1 x',
    'target with a space'     => 'GET /a b HTTP/1.1',
    '0.9'                     => 'GET /',
    '0.9 without slash'       => 'GET',
);
$a->refused("$_", "$cases{$_}$rest") for sort keys %cases;
$a->refused("HTTP/$_", "GET / HTTP/$_$rest", 505) for '2.0', '3.0';
$a->refused('preface of HTTP/2', "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", qr/^(?:400|505)$/, dribble => 0);
$a->refused('0.9, alone', "GET /x\r\n", qr/^40[08]$/, dribble => 0);
$a->forwarded('1.2 is served as 1.1', "GET / HTTP/1.2$rest",
    sub ($seen) { $seen->version eq '1.1' ? () : 'version ' . $seen->version });

$a->forwarded('one empty line before is fine', "\r\nGET / HTTP/1.1$rest");
$a->refused('100 empty lines before', ("\r\n" x 100) . "GET / HTTP/1.1$rest");
$a->refused('a bare LF before', "\nGET / HTTP/1.1$rest");
$a->refused('a bare CR before', "\rGET / HTTP/1.1$rest");
$a->refused('not HTTP: TLS', "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . ('x' x 100) . "\r\n\r\n", 400,
    dribble => 0);
$a->refused('not HTTP: zeros', "\x00" x 100, 400, dribble => 0);

$a->done;
