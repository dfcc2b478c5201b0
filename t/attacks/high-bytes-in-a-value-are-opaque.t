# Forwarded as they are, escaped in logs.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('high bytes in a value are opaque');

my $all = join '', map { chr } 0x80 .. 0xff;
$a->forwarded('every byte from 0x80', "GET / HTTP/1.1\r\nHost: localhost\r\nX: $all\r\nUser-Agent: $all\r\n\r\n",
    sub ($seen) { $seen->header('X') eq $all ? () : show($seen->header('X')) });
$a->forwarded('UTF-8', "GET / HTTP/1.1\r\nHost: localhost\r\nX: \xc3\xa9\xe2\x82\xac\r\n\r\n",
    sub ($seen) { $seen->header('X') eq "\xc3\xa9\xe2\x82\xac" ? () : show($seen->header('X')) });

$a->done;
