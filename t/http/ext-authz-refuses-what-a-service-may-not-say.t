# ext_authz and a service that says what it may not, or nothing: each answer has the status and the cause of its own, the peer is not asked, and
# the next request is served.
use v5.36;
use lib 't/lib';
use Weir::Authz;
use Weir::Http2 ':all';
use Weir::Test;

*bytes = \&Weir::Authz::bytes; *number = \&Weir::Authz::number; *frame_of = \&Weir::Authz::frame; *header = \&Weir::Authz::header; *answer = \&Weir::Authz::answer;
my $ok = $Weir::Authz::ok;
sub head ($s, @more) { headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc', @more) }
sub tail ($s, @more) { headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => 0, @more) }
# an answer that lets in, with this in its ok_response
sub ok_with ($inner) { $ok . bytes(3, $inner) }

my @cases;
sub case ($name, $make, $want, $cause) { push @cases, [ $name, $make, $want, $cause ] }
sub says ($name, $message) { case($name, sub ($s) { answer($s, $message) }, 503, 'auth.ext.answer') }

case 'it lets in', sub ($s) { answer($s, $ok) }, 200, '';
case 'unknown fields are passed over', sub ($s) { answer($s, $ok . bytes(99, 'x') . number(98, 7) . "\xc1\x06" . 'x' x 8 . "\xcd\x06" . 'x' x 4) }, 200, '';
case 'in two pieces', sub ($s) { head($s) . data($s, substr frame_of($ok), 0, 3) . data($s, substr frame_of($ok), 3) . tail($s) }, 200, '';
case 'it refuses', sub ($s) { answer($s, bytes(1, number(1, 7))) }, 403, 'auth.ext.denied';
case 'with a negative code', sub ($s) { answer($s, bytes(1, "\x08" . "\xff" x 9 . "\x01")) }, 403, 'auth.ext.denied';

# -- messages --
says 'an empty message', '';
says 'a group', $ok . "\x23\x24";
says 'a field without a number', $ok . "\x00\x01";
says 'type 6', $ok . "\x26\x01";
says 'a number of more than 64 bits', "\x08" . "\xff" x 10 . "\x01";
says 'a length beyond the end', $ok . "\x1a\x7f" . 'x';
says 'a length of 2^63', $ok . "\x1a" . "\x80" x 9 . "\x01";
says 'a status that is a number', number(1, 0);
says 'two statuses', $ok . $ok;
says 'it lets in and refuses', $ok . bytes(3, '') . bytes(2, '');
says 'a code of 7 and an ok_response', bytes(1, number(1, 7)) . bytes(3, '');
says 'a code of 0 and a denied_response', $ok . bytes(2, bytes(1, number(1, 403)));
says 'a refusal of status 100', bytes(1, number(1, 7)) . bytes(2, bytes(1, number(1, 100)));
says 'a refusal of status 700', bytes(1, number(1, 7)) . bytes(2, bytes(1, number(1, 700)));
says 'a body that is not UTF-8', bytes(1, number(1, 7)) . bytes(2, bytes(3, "\xff"));
says 'two thousand fields', $ok . number(50, 1) x 2000;
says 'two hundred headers', ok_with(bytes(2, header('x-a', 'b')) x 200);

# -- headers of the request and of the answer --
for my $list ([ request => 2 ], [ answer => 6 ]) {
    my ($of, $number) = @$list;
    says "$of: $_->[0]", ok_with(bytes($number, header($_->[1], $_->[2]))) for
        [ 'CR LF in a value', 'x-a', "b\r\nx-evil: 1" ], [ 'LF', 'x-a', "b\nc" ], [ 'NUL', 'x-a', "b\0c" ], [ 'a colon in a name', 'x:a', 'b' ], [ 'a blank in a name', 'x a', 'b' ],
        [ 'no name', '', 'b' ], [ 'CR LF in a name', "x\r\ny", 'b' ], [ 'a pseudo-header', ':path', '/admin' ], [ 'Content-Length', 'content-length', '3' ],
        [ 'Transfer-Encoding', 'Transfer-Encoding', 'chunked' ], [ 'Connection', 'connection', 'x-user' ], [ 'Upgrade', 'upgrade', 'h2c' ], [ 'TE', 'te', 'trailers' ],
        [ 'a value that is not UTF-8', 'x-a', "\xff" ];
}
says 'request: Host', ok_with(bytes(2, header('host', 'other.example')));
says 'request: Expect', ok_with(bytes(2, header('expect', '100-continue')));
says 'answer: Date', ok_with(bytes(6, header('date', 'today')));
says 'refusal: CR LF', bytes(1, number(1, 7)) . bytes(2, bytes(2, header('x-a', "b\r\n\r\n<script>")));
says 'two values in one header', ok_with(bytes(2, bytes(1, bytes(1, 'x-a') . bytes(2, 'b') . bytes(3, 'c'))));
says 'an action that is none', ok_with(bytes(2, header('x-a', 'b') . number(3, 9)));
says 'a name to remove that is none', ok_with(bytes(5, "x\r\ny"));
says 'an argument without a name', ok_with(bytes(7, bytes(2, 'x')));

# -- gRPC --
case 'compressed', sub ($s) { head($s) . data($s, frame_of($ok, 1)) . tail($s) }, 503, 'auth.ext.answer';
case 'two messages', sub ($s) { head($s) . data($s, frame_of($ok) . frame_of($ok)) . tail($s) }, 503, 'auth.ext.answer';
case 'half a frame', sub ($s) { head($s) . data($s, "\0\0") . tail($s) }, 503, 'auth.ext.answer';
case 'a longer frame than came', sub ($s) { head($s) . data($s, pack('CN', 0, 100) . 'x') . tail($s) }, 503, 'auth.ext.answer';
case 'no message', sub ($s) { head($s) . tail($s) }, 503, 'auth.ext.answer';
case 'a status in the head and no message', sub ($s) { headers($s, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 0) }, 503, 'auth.ext.answer';
case 'trailers only', sub ($s) { headers($s, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 13) }, 503, 'auth.ext.unavailable';
case 'grpc-status 14', sub ($s) { answer($s, $ok, 14) }, 503, 'auth.ext.unavailable';
case 'grpc-status that is no number', sub ($s) { answer($s, $ok, 'ok') }, 503, 'auth.ext.unavailable';
case 'no grpc-status', sub ($s) { head($s) . data($s, frame_of($ok), 'END_STREAM') }, 503, 'auth.ext.unavailable';
case 'grpc-status in the head, before a message', sub ($s) { head($s, 'grpc-status' => 0) . data($s, frame_of($ok), 'END_STREAM') }, 503, 'auth.ext.unavailable';
case 'HTTP status 500', sub ($s) { headers($s, 'END_HEADERS END_STREAM', ':status' => 500, 'content-type' => 'application/grpc') }, 503, 'auth.ext.unavailable';
case 'a page', sub ($s) { headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'text/html') . data($s, frame_of($ok)) . tail($s) }, 503, 'auth.ext.unavailable';
case 'a type that only begins so', sub ($s) { headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpcx') . data($s, frame_of($ok)) . tail($s) }, 503, 'auth.ext.unavailable';
case 'an answer of 100 KiB', sub ($s) { head($s) . join('', map { data($s, 'x' x 10240) } 1 .. 10) . tail($s) }, 503, 'auth.ext.answer';
case 'a head of 64 KiB', sub ($s) { headers($s, '', ':status' => 200, 'x-a' => 'b' x 16000) . join('', map { continuation($s, $_ == 4 ? 'END_HEADERS' : '', field("x-$_", 'b' x 16000)) } 1 .. 4) }, 503,
    'auth.ext.unavailable';

# -- HTTP/2 --
case 'RST_STREAM', sub ($s) { rst($s, 'INTERNAL_ERROR') }, 503, 'auth.ext.unavailable';
case 'RST_STREAM in the message', sub ($s) { head($s) . data($s, substr frame_of($ok), 0, 6) . rst($s, 'CANCEL') }, 503, 'auth.ext.unavailable';
case 'it says nothing', sub ($s) { '' }, 503, 'auth.ext.unavailable';
case 'half an answer', sub ($s) { head($s) . data($s, "\0\0\0") }, 503, 'auth.ext.unavailable';
case 'GOAWAY that refuses it', sub ($s) { goaway(0, 'NO_ERROR') }, 503, 'auth.ext.unavailable';
case 'it closes', sub ($s) { \1 }, 503, 'auth.ext.unavailable';
case 'no :status', sub ($s) { headers($s, 'END_HEADERS', 'x-a' => 1) }, 503, 'auth.ext.unavailable';

my $w     = Weir::Test->new('ext_authz refuses what a service may not say');
my $authz = Weir::Authz::scripted($w, sub ($h2, $s, $case, $message) { ($case =~ /(\d+)$/ ? $cases[$1] : $cases[0])->[1]->($s) });
my $origin = $w->origin;
$w->allow_log(qr/auth\.ext\.|upstream\./);
$w->conf(<<"END", workers => 1);
    log_format s '\$uri \$status \$weir_cause';
    access_log logs/s.log s;
    upstream authz { server $authz max_fails=0; }
    server {
        ext_authz grpc://authz;
        ext_authz_timeout 300ms;
        location / { proxy_pass http://$origin; }
        location /open { ext_authz_fail_open on; proxy_pass http://$origin; }
        location /status { ext_authz_error_status 403; proxy_pass http://$origin; }
    }
END

my $client = $w->client;
for my $n (0 .. $#cases) {
    my ($name, undef, $want, $cause) = $cases[$n]->@*;
    my $asked = $origin->requests;
    my $r = $client->get("/case/$n", 'X-Case', $n);
    is $r->status, $want, $name;
    $w->wait_for_access(qr{^/case/$n $want \Q${\ ($cause || "-")}\E$}m, 's.log');
    is $origin->requests - $asked, $want == 200 ? 1 : 0, "$name: the peer";
    is $client->get('/', 'X-Case', 0)->status, 200, "$name: the next request";
}
my ($silent) = grep { $cases[$_][0] eq 'it says nothing' } 0 .. $#cases;
my ($wrong)  = grep { $cases[$_][0] eq 'two statuses' } 0 .. $#cases;
is $client->get('/open', 'X-Case', $silent)->status, 200, 'ext_authz_fail_open lets in who cannot be asked about';
is $client->get('/open', 'X-Case', $wrong)->status, 503, 'but not when the service says what it may not';
is $client->get('/open', 'X-Case', 3)->status, 403, 'or refuses';
is $client->get('/status', 'X-Case', $silent)->status, 403, 'ext_authz_error_status';
done_testing;
