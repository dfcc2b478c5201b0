use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a header line has a colon and begins with its name');

my %cases = (
    'no colon'                    => "GET / HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n",
    'no colon, first'             => "GET / HTTP/1.1\r\nnonsense\r\nHost: localhost\r\n\r\n",
    'space before the first'      => "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
    'tab before the first'        => "GET / HTTP/1.1\r\n\tHost: localhost\r\n\r\n",
    'line of a space'             => "GET / HTTP/1.1\r\nHost: localhost\r\n \r\n\r\n",
    'line of a space, first'      => "GET / HTTP/1.1\r\n \r\nHost: localhost\r\n\r\n",
    'folded with SP'              => "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    'folded with HTAB'            => "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n\tb\r\n\r\n",
    'Host folded'                 => "GET / HTTP/1.1\r\nHost:\r\n localhost\r\n\r\n",
    'space before the colon'      => "GET / HTTP/1.1\r\nHost: localhost\r\nX : a\r\n\r\n",
    'tab before the colon'        => "GET / HTTP/1.1\r\nHost: localhost\r\nX\t: a\r\n\r\n",
    'space before the colon of Host' => "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    'only a colon'                => "GET / HTTP/1.1\r\nHost: localhost\r\n:\r\n\r\n",
);
$a->refused("$_", $cases{$_}) for sort keys %cases;

$a->done;
