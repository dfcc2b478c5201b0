use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w    = Weir::Test->new('misuse of ssl directives is told');
$w->allow_log(qr/\[emerg\]/);
my $cert = Weir::Cert->ca($w, 'root')->issue('localhost');
my $pair = "ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key};";
$w->write_file('junk.pem', "junk\n");
my @cases = (
    [ 'no certificate', '', qr/no "ssl_certificate" is defined for the "listen \.\.\. ssl" directive/ ],
    [ 'no key', "ssl_certificate $cert->{cert};", qr/no "ssl_certificate_key" is defined for certificate/ ],
    [ 'a missing file', 'ssl_certificate /nonexistent.crt; ssl_certificate_key /nonexistent.key;', qr{/nonexistent\.crt.*No such file} ],
    [ 'junk', "ssl_certificate %%DIR%%/junk.pem; ssl_certificate_key $cert->{key};", qr/cannot load certificate ".*junk\.pem"/ ],
    [ 'an engine', "ssl_certificate $cert->{cert}; ssl_certificate_key engine:x:y;", qr/engines and stores are not supported/ ],
    [ 'a protocol', "$pair ssl_protocols TLSv9;", qr/TLSv9/ ],
    [ 'ciphers', "$pair ssl_ciphers nonsense;", qr/the ciphers "nonsense" cannot be had/ ],
    [ 'curves', "$pair ssl_ecdh_curve nonsense;", qr/the curves "nonsense" cannot be had/ ],
    [ 'a command', "$pair ssl_conf_command Nonsense x;", qr/SSL_CONF_cmd\("Nonsense", "x"\) failed/ ],
    [ 'verify', "$pair ssl_verify_client maybe;", qr/maybe/ ],
    [ 'verify without authorities', "$pair ssl_verify_client on;", qr/no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client/ ],
    [ 'junk authorities', "$pair ssl_verify_client on; ssl_client_certificate %%DIR%%/junk.pem;", qr/cannot load CA certificates ".*junk\.pem"/ ],
    [ 'junk CRL', "$pair ssl_verify_client on; ssl_client_certificate $cert->{cert}; ssl_crl %%DIR%%/junk.pem;", qr/cannot load CRL ".*junk\.pem"/ ],
    [ 'junk DH', "$pair ssl_dhparam %%DIR%%/junk.pem;", qr/cannot load DH parameters ".*junk\.pem"/ ],
    [ 'a builtin cache of none', "$pair ssl_session_cache builtin:0;", qr/builtin:number of sessions/ ],
    [ 'two shared caches', "$pair ssl_session_cache shared:x:1m shared:y:1m;", qr/shared:y:1m/ ],
    [ 'a small cache', "$pair ssl_session_cache shared:x:1k;", qr/too small/ ],
    [ 'a cache without a size', "$pair ssl_session_cache shared:x;", qr/shared:name:size/ ],
    [ 'a buffer', "$pair ssl_buffer_size 64k;", qr/ssl_buffer_size/ ],
    [ 'ocsp without verify', "$pair ssl_ocsp on;", qr/"ssl_ocsp" needs/ ],
    [ 'ssl on', "$pair ssl on;", qr/"ssl" directive is obsolete/ ],
    [ 'a certificate cache', "$pair ssl_certificate_cache inactive=1s;", qr/must have the "max" parameter/ ],
);
for (@cases) {
    my ($name, $text, $said) = @$_;
    my ($code, $output) = $w->check_conf("server { listen 127.0.0.1:%%PORT%% ssl; $text location / { return 200 x; } }");
    is $code, 1, "$name is refused";
    like $output, $said, 'and told';
    like $output, qr/ in .*weir\.conf:\d+/, 'with its place';
}
my ($code, $output) = $w->check_conf("server { listen 127.0.0.1:%%PORT%% ssl; $pair ssl_session_cache shared:x:1m; location / { } } server { listen 127.0.0.1:%%PORT%% ssl; server_name b; $pair ssl_session_cache shared:x:2m; location / { } }");
is $code, 1, 'one cache of two sizes is refused';
like $output, qr/conflicts with the size/, 'and told';

done_testing;
