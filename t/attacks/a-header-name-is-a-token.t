# Anything else is refused; what is a token but odd is dropped (ignore_invalid_headers).
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a header name is a token');

for my $name ('', "\x80", "X\xe9", 'X[', 'X]', '[X]', 'X@', 'X=', 'X/', 'X"', '"X"', 'X,Y', "X\x00", "\x00", 'X Y',
    'X(', 'X)', 'X<', 'X>', 'X?', 'X{', 'X}',
    'X\\', 'X;', "X\x7f", "X\x01", "\xef\xbb\xbfX", 'Host ')
{
    $a->refused(show($name), "GET / HTTP/1.1\r\nHost: localhost\r\n$name: y\r\n\r\n");
}
my $gone = sub ($name) { sub ($seen) { defined $seen->header($name) ? "$name was passed on" : () } };
$a->forwarded("$_ is dropped", "GET / HTTP/1.1\r\nHost: localhost\r\n$_: y\r\n\r\n", $gone->($_)) for 'X_Y',
    'X.Y', 'X!', "X'", 'X~', 'X*', '_', 'X_Forwarded_For';
$a->forwarded('a plain one stays', "GET / HTTP/1.1\r\nHost: localhost\r\nX-y-9: z\r\n\r\n",
    sub ($seen) { $seen->header('X-Y-9') eq 'z' ? () : 'lost' });

$a->done;
