# TRACE is never reflected; a method nobody knows is the upstream's to judge; a huge one is refused.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('TRACE and CONNECT are not served');

$a->refused('TRACE', "TRACE / HTTP/1.1\r\nHost: localhost\r\nX-Secret: canary\r\n\r\n", 405);
$a->refused('TRACE with Max-Forwards', "TRACE / HTTP/1.1\r\nHost: localhost\r\nMax-Forwards: 0\r\n\r\n", 405);
$a->refused("CONNECT $_", "CONNECT $_ HTTP/1.1\r\nHost: localhost\r\n\r\n", qr/^(?:400|405)$/)
    for 'localhost:443', '/', 'localhost', '127.0.0.1:22', '[::1]:22';
$a->refused('a method of 64 KiB', ('A' x 65536) . " / HTTP/1.1\r\nHost: localhost\r\n\r\n", qr/^(?:400|414)$/);
for my $method (qw(BREW get Get TRACEX M-SEARCH QUERY)) {
    $a->judged("$method", "$method / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        sub ($seen) { $seen->method eq $method ? () : $seen->method });
}
my $answer = $a->w->raw("TRACE / HTTP/1.1\r\nHost: localhost\r\nX-Secret: canary\r\n\r\n");
unlike $answer, qr/canary/, 'nothing is reflected';

$a->done;
