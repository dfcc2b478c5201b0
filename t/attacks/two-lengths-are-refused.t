# What RFC 9110 §8.6 lets a recipient fold into one, Weir refuses as well.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('two lengths are refused');

my $head = "POST / HTTP/1.1\r\nHost: localhost\r\n";
my %cases = (
    'different'        => "Content-Length: 5\r\nContent-Length: 6\r\n",
    'the same'         => "Content-Length: 5\r\nContent-Length: 5\r\n",
    'other case'       => "Content-Length: 5\r\ncontent-length: 5\r\n",
    'list'             => "Content-Length: 5, 5\r\n",
    'different list'   => "Content-Length: 5, 6\r\n",
    'list, no space'   => "Content-Length: 5,5\r\n",
    'empty then value' => "Content-Length:\r\nContent-Length: 5\r\n",
    'value then empty' => "Content-Length: 5\r\nContent-Length:\r\n",
    'list with empty'  => "Content-Length: ,5\r\n",
    'list ends empty'  => "Content-Length: 5,\r\n",
    'three'            => "Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
    'zero and five'    => "Content-Length: 0\r\nContent-Length: 5\r\n",
    'apart'            => "Content-Length: 5\r\nX: y\r\nContent-Length: 0\r\n",
);
$a->refused("$_", "$head$cases{$_}\r\nhello") for sort keys %cases;

$a->done;
