# Nginx and HAProxy forward most of them.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('controls in a header value are refused');

for my $byte (grep { $_ != 9 } 0 .. 31, 127) {
    my $c = chr $byte;
    $a->refused(sprintf('0x%02x inside', $byte), "GET / HTTP/1.1\r\nHost: localhost\r\nX: a${c}b\r\n\r\n");
}
for my $byte (0, 1, 11, 12, 27, 127) {
    my $c = chr $byte;
    $a->refused(sprintf('0x%02x first', $byte), "GET / HTTP/1.1\r\nHost: localhost\r\nX: ${c}b\r\n\r\n");
    $a->refused(sprintf('0x%02x last', $byte), "GET / HTTP/1.1\r\nHost: localhost\r\nX: a$c\r\n\r\n");
}
$a->forwarded('a tab inside is allowed', "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\tb\r\n\r\n",
    sub ($seen) { $seen->header('X') =~ /^a[\t ]b$/ ? () : show($seen->header('X')) });

$a->done;
