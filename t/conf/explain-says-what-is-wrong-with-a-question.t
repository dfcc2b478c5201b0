# `weir explain`: what is no request, no option, no address and no file is an error with a code of its own.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('explain says what is wrong with a question')->needs_weir;
$w->conf('server { location / { return 204; } }');
my $explain = sub (@words) { $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', @words) };
my $good = 'GET http://localhost:' . $w->port . '/';
is +($explain->($good))[0], 0, 'a good one';
for my $case (
    [ 'no request',               qr/there is no request/ ],
    [ 'two of them',              qr/a second request "b": expected one/, 'http://a/', 'b' ],
    [ 'an unknown option',        qr/unknown option "--colour": expected -c, -H, --ip, --http2, --json or --live/, $good, '--colour' ],
    [ 'an option without a value', qr/"-H" needs a value/, $good, '-H' ],
    [ 'a field without a name',   qr/invalid field ": x": expected "Name: value"/, $good, '-H', ': x' ],
    [ 'a field with a line in it', qr/invalid field/, $good, '-H', "A: b\r\nC: d" ],
    [ 'no address',               qr/invalid address "1\.2\.3": expected the client's/, $good, '--ip', '1.2.3' ],
    [ 'no URL',                   qr{invalid request "GET /": expected a method and an address}, 'GET /' ],
    [ 'another scheme',           qr/invalid request/, 'GET ftp://a/' ],
    [ 'an empty host',            qr/invalid request/, 'GET http:///a' ],
    [ 'a port that is none',      qr/invalid host "a:99999"/, 'GET http://a:99999/' ],
    [ 'another version',          qr/invalid request/, 'GET http://a/ HTTP/2' ],
    [ 'a line end',               qr/invalid request/, "GET http://a/\r\nX: y" ],
    ) {
    my ($what, $pattern, @words) = @$case;
    my ($code, $said) = $explain->(@words);
    is $code, 64, "$what: misuse";
    like $said, $pattern, 'which is told';
}
my ($code, $said) = $explain->($good, '-c', 'conf/nothing.conf');
is $code, 1, 'no such file';
like $said, qr{conf/nothing\.conf" failed \(2: }, 'which is told';
$w->write_file('conf/bad.conf', "events { }\nhttp { server { listen 81; lokation / { } } }\n");
($code, $said) = $explain->($good, '-c', 'conf/bad.conf');
is $code, 1, 'a bad configuration';
like $said, qr{lokation.* in \S+/bad\.conf:2}, 'with file and line';
unlike $said, qr/^  outcome/m, 'and no answer';
is +($w->tool('-t', 'explain', $good))[0], 1, 'it goes with no other option';
like +($w->run('-h'))[1], qr/^  explain +: \[.*--live\] REQUEST\|-: what the configuration/m, 'the usage knows it';
done_testing;
