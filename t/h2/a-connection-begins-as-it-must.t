use v5.36;
use lib 't/lib';
use Weir::Test ();
use Test::More;
use Weir::Http2 ':all';
use Weir::Http2Cases;

my $t = Weir::Http2Cases->new('a connection begins as it must');

my @get  = Weir::Http2::request_fields();
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');
my $open = headers(1, 'END_HEADERS', @post);                       # stream 1 is open
my $half = headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold'));    # half closed, not answered

my $preface = $Weir::Http2::PREFACE;
$t->case('§3.4 preface, SETTINGS and a request in one', $preface . settings() . headers(1, 'END_STREAM END_HEADERS', @get), '200', bare => 1, waits => 1);
$t->case('§3.4 SETTINGS are optional in what they say', $preface . settings(1, 0, 3, 100, 4, 65535, 5, 16384, 6, 1000) . headers(1, 'END_STREAM END_HEADERS', @get), '200', bare => 1, waits => 1);
$t->case('§3.4 PING first', $preface . ping(), 'goaway PROTOCOL_ERROR', bare => 1, patient => 1);
$t->case('§3.4 HEADERS first', $preface . headers(1, 'END_STREAM END_HEADERS', @get), 'goaway PROTOCOL_ERROR', bare => 1, patient => 1);
$t->case('§3.4 an acknowledgement first', $preface . frame('SETTINGS', 'ACK', 0), 'goaway PROTOCOL_ERROR', bare => 1, patient => 1);
$t->case('§3.4 DATA first', $preface . data(1, 'x'), 'goaway PROTOCOL_ERROR', bare => 1, patient => 1);
for my $bad ("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", "PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n") {
    my $answer = $t->w->raw($bad . settings());
    like $answer, qr{^(?:HTTP/1\.1 [45]|$)}, '§3.4 another preface is no HTTP/2';
}
is $t->w->raw($_), '', '§3.4 what is neither HTTP/1 nor a preface is answered with a close'
    for "INVALID CONNECTION PREFACE\r\n\r\n", "PRI * HTTQ/2.0\r\n\r\nSM\r\n\r\n", "EHLO a b\r\n\r\n";
like $t->w->raw($_), qr{^HTTP/1\.1 (?:400|505)}, "what tries to be HTTP/1 reads why not"
    for "GET / HTTP/9.1\r\n\r\n", "GET /\r\n\r\n", "GET / x HTTP/1.1\r\n\r\n";
like $t->w->raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), qr{^HTTP/1\.1 200}, 'HTTP/1.1 on the same port';
like $t->w->raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"), qr{^HTTP/1\.1 200}, '§3.1 Upgrade: h2c is not followed';

$t->done;
