# RFC 9110 §6.5.1: what may not stand in trailers is dropped, malformed ones are refused.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('trailers carry no framing and no identity');

my $head = "POST / HTTP/1.1\r\nHost: localhost\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n";
my $none = sub ($name) {
    return sub ($seen) {
        my @values = ($seen->trailer($name), grep { /evil/ } $seen->header($name));
        return ((@values ? "$name: @values" : ()), ($seen->body eq 'hello' ? () : 'body'));
    };
};
for my $name (qw(Content-Length Transfer-Encoding Host Authorization X-Forwarded-For Content-Type Set-Cookie Content-Encoding Content-Range Trailer
    Connection Cookie TE Upgrade Expect X-Forwarded-Host X-Real-IP Forwarded Max-Forwards Cache-Control Range)) {
    $a->forwarded("$name is dropped", "$head$name: evil\r\n\r\n", $none->($name));
}
$a->forwarded('an unknown one harms nothing', "${head}X-Checksum: abc\r\n\r\n", sub ($seen) {
    defined $seen->header('X-Checksum') ? 'it became a header' : $seen->body eq 'hello' ? () : 'body' });

my %bad = (
    'no colon'        => "nonsense\r\n",
    'no name'         => ": x\r\n",
    'folded'          => "A: b\r\n c\r\n",
    'folded first'    => " A: b\r\n",
    'space before colon' => "A : b\r\n",
    'NUL'             => "A: b\x00c\r\n",
    'bare LF'         => "A: b\n",
    'bare CR'         => "A: b\rc\r\n",
    'control'         => "A: b\x01c\r\n",
    'name with space' => "A B: c\r\n",
    '64 KiB'          => 'A: ' . ('x' x 65536) . "\r\n",
    '10,000 fields'   => "A: b\r\n" x 10_000,
);
$a->refused("$_", "$head$bad{$_}\r\n", qr/^4(?:00|31)$/) for sort keys %bad;

$a->done;
