# What h2spec asks of clients, and more: frames a peer may not send, heads that say nothing or two things, lengths that lie. Each costs its
# request, or its connection; never another's.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Http2PeerCases;
use Weir::Test ();

my $t = Weir::Http2PeerCases->new('an answer of HTTP/2 that breaks its rules is 502');

my $head = sub ($s, $flags, @fields) { headers($s, "END_HEADERS $flags", ':status' => 200, @fields) };
my $whole = sub ($s, @fields) { headers($s, 'END_HEADERS END_STREAM', @fields) };
my ($bad, $body, $frame) = ('upstream.malformed', qr/^upstream\.body\./, qr/^upstream\.h2\.protocol$/);

$t->case('as it should be', sub ($s) { $head->($s, '') . data($s, 'x', 'END_STREAM') }, 200, '', same => 1);
$t->case('without a body', sub ($s) { $whole->($s, ':status' => 204) }, 200 + 4, '', same => 1);
$t->case('with trailers', sub ($s) { $head->($s, '') . data($s, 'x') . $whole->($s, 'x-sum' => 1) }, 200, '', same => 1);

# -- heads: malformed costs the stream only --
my %same = (same => 1);
my %heads = (
    'no :status'              => [ 'x-a' => 1 ],
    ':status twice'           => [ ':status' => 200, ':status' => 200 ],
    ':status behind a field'  => [ 'x-a' => 1, ':status' => 200 ],
    ':status empty'           => [ ':status' => '' ],
    ':status 20'              => [ ':status' => 20 ],
    ':status 2000'            => [ ':status' => 2000 ],
    ':status 099'             => [ ':status' => '099' ],
    ':status 600'             => [ ':status' => 600 ],
    ':status 2x0'             => [ ':status' => '2x0' ],
    ':status with a blank'    => [ ':status' => '200 ' ],
    'a pseudo-header of requests' => [ ':status' => 200, ':path' => '/' ],
    'an unknown pseudo-header' => [ ':status' => 200, ':unknown' => 1 ],
    'an upper-case name'      => [ ':status' => 200, 'X-A' => 1 ],
    'an empty name'           => [ ':status' => 200, '' => 1 ],
    'a name with a blank'     => [ ':status' => 200, 'x a' => 1 ],
    'a name with a colon'     => [ ':status' => 200, 'x:a' => 1 ],
    'a name with CR LF'       => [ ':status' => 200, "x\r\ny" => 1 ],
    'a value with CR'         => [ ':status' => 200, 'x-a' => "a\rb" ],
    'a value with LF'         => [ ':status' => 200, 'x-a' => "a\nset-cookie: b" ],
    'a value with NUL'        => [ ':status' => 200, 'x-a' => "a\0b" ],
    'a value that begins with a blank' => [ ':status' => 200, 'x-a' => ' a' ],
    'a value that ends with a tab' => [ ':status' => 200, 'x-a' => "a\t" ],
    'connection'              => [ ':status' => 200, connection => 'close' ],
    'keep-alive'              => [ ':status' => 200, 'keep-alive' => 1 ],
    'proxy-connection'        => [ ':status' => 200, 'proxy-connection' => 'close' ],
    'transfer-encoding'       => [ ':status' => 200, 'transfer-encoding' => 'chunked' ],
    'upgrade'                 => [ ':status' => 200, upgrade => 'websocket' ],
    'te'                      => [ ':status' => 200, te => 'trailers' ],
    'content-length twice'    => [ ':status' => 200, 'content-length' => 0, 'content-length' => 0 ],
    'content-length 0x0'      => [ ':status' => 200, 'content-length' => '0x0' ],
    'content-length -1'       => [ ':status' => 200, 'content-length' => -1 ],
    'content-length of 2^64'  => [ ':status' => 200, 'content-length' => '18446744073709551616' ],
    '101'                     => [ ':status' => 101 ],
    'an interim answer that ends' => [ ':status' => 103 ],
);
$t->case("§8 $_", do { my @f = $heads{$_}->@*; sub ($s) { $whole->($s, @f) } }, 502, $bad, %same) for sort keys %heads;
$t->case('§8.1 DATA before the head', sub ($s) { data($s, 'x', 'END_STREAM') }, 502, qr/^upstream\./);
$t->case('§8.1 DATA behind an interim answer', sub ($s) { headers($s, 'END_HEADERS', ':status' => 103) . data($s, 'x', 'END_STREAM') }, 502, qr/^upstream\./);
$t->case('§8.1 a flood of interim answers', sub ($s) { headers($s, 'END_HEADERS', ':status' => 103, 'x-a' => 'b' x 100) x 300 }, 502, qr/^upstream\./);

# -- bodies: the head has gone, so the client's answer is cut --
$t->case('§8.1.1 less than content-length', sub ($s) { $head->($s, '', 'content-length' => 5) . data($s, 'abcd', 'END_STREAM') }, 'cut', $body);
$t->case('§8.1.1 more than content-length', sub ($s) { $head->($s, '', 'content-length' => 3) . data($s, 'abcd', 'END_STREAM') }, 'cut', $body);
$t->case('§8.1.1 nothing of content-length', sub ($s) { $head->($s, 'END_STREAM', 'content-length' => 3) }, 'cut', $body);
$t->case('§8.1.1 padding does not count', sub ($s) { $head->($s, '', 'content-length' => 7) . frame('DATA', 'PADDED END_STREAM', $s, "\x03abcd\0\0\0") }, 'cut', $body);
$t->case("§8.1 trailers with $_->[0]", do { my @f = @$_; sub ($s) { $head->($s, '') . data($s, 'abcd') . $whole->($s, @f) } }, 'cut', $body, same => 1)
    for [ ':status' => 200 ], [ ':path' => '/' ], [ 'X-A' => 1 ], [ connection => 'close' ], [ 'content-length' => 4 ], [ 'x-a' => "a\nb" ];
$t->case('§8.1 a second head', sub ($s) { $head->($s, '') . data($s, 'abcd') . $head->($s, '') }, 'cut', $body);

# -- resets --
$t->case("§6.4 RST_STREAM $_", do { my $code = $_; sub ($s) { rst($s, $code) } }, 502, $_ eq 'REFUSED_STREAM' ? 'upstream.h2.refused' : 'upstream.h2.reset', same => $_ ne 'REFUSED_STREAM')
    for qw(NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR STREAM_CLOSED REFUSED_STREAM CANCEL ENHANCE_YOUR_CALM HTTP_1_1_REQUIRED), 0xffffffff;
$t->case('§6.4 RST_STREAM in the body', sub ($s) { $head->($s, '') . data($s, 'abcd') . rst($s, 'INTERNAL_ERROR') }, 'cut', 'upstream.h2.reset', same => 1);
$t->case('§8.1 NO_ERROR behind a whole answer', sub ($s) { $head->($s, 'END_STREAM') . rst($s, 'NO_ERROR') }, 200, '', same => 1);

$t->run;
Weir::Test::done_testing();
