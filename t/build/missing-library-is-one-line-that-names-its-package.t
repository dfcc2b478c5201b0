# A missing library is one line on stderr that names the Debian package; the log has program and compiler's words.
use v5.36;
use lib 't/lib';
use Test::More;
use Weir::Build;

my $tree = Weir::Build->new;
$tree->file('old/openssl/opensslv.h', "#define OPENSSL_VERSION_MAJOR 1\n");
$tree->file('old/pcre2.h',            "#error not here\n");

my ($status, $said) = $tree->sh('./configure --with-cc-opt=-I$PWD/old 2>&1 >/dev/null');
is $status, 1, 'configure fails';
is scalar(split /\n/, $said), 2, 'one line each';
like $said, qr/^configure: OpenSSL 3 is missing: apt-get install libssl-dev /m, 'OpenSSL: libssl-dev';
like $said, qr/^configure: PCRE2 .* is missing: apt-get install libpcre2-dev /m, 'PCRE2: libpcre2-dev';

my (undef, $log) = $tree->sh('cat objs/autoconf.log');
like $log, qr/FAILED: OpenSSL 3\n/, 'the log names the probe';
like $log, qr/int main\(void\) \{ return SSL_CTX_new/, 'the log has its program';
like $log, qr/error: .*OpenSSL 3 or later is needed/, 'the log has the compiler\'s words';

($status, $said) = $tree->sh('./configure --with-cc=no-such-compiler');
is $status, 1, 'without a compiler configure fails';
like $said, qr/^configure: no working C compiler \(no-such-compiler\): apt-get install gcc/, 'and names the package';

done_testing;
