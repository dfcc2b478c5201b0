use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w    = Weir::Test->new('HTTPS is spoken and variables tell how');
my $ca   = Weir::Cert->ca($w, 'root');
my $cert = $ca->issue('localhost');
my @told = qw(ssl_protocol ssl_cipher ssl_curve ssl_server_name ssl_session_reused ssl_alpn_protocol ssl_client_verify ssl_early_data
    ssl_client_s_dn scheme https server_protocol);
$w->conf(<<"END", workers => 1);
    server {
        listen 127.0.0.1:%%PORT%% ssl;
        ssl_certificate $cert->{cert};
        ssl_certificate_key $cert->{key};
        location / { return 200 "@{[ join '|', map { "\$$_" } @told ]}"; }
        location /offers { return 200 "\$ssl_ciphers \$ssl_curves \$ssl_sigalg"; }
    }
    server {
        listen 127.0.0.1:%%PORT_plain%%;
        location / { return 200 "@{[ join '|', map { "\$$_" } @told ]}"; }
    }
END

sub told ($c) { my %told; @told{@told} = split /\|/, $c->get('/')->body, -1; return \%told }

my $c = Weir::Tls::client($w, ca => $ca, alpn => ['http/1.1']);
is_deeply told($c), { ssl_protocol => 'TLSv1.3', ssl_cipher => 'TLS_AES_256_GCM_SHA384', ssl_curve => 'X25519', ssl_server_name => 'localhost',
    ssl_session_reused => '.', ssl_alpn_protocol => 'http/1.1', ssl_client_verify => 'NONE', ssl_early_data => '', ssl_client_s_dn => '',
    scheme => 'https', https => 'on', server_protocol => 'HTTP/1.1' }, 'TLS 1.3';
$c = Weir::Tls::client($w, ca => $ca, version => 'TLSv1_2', ciphers => 'ECDHE-ECDSA-AES128-GCM-SHA256', curves => 'P-256', sni => '');
my $told = told($c);
is $told->{ssl_protocol}, 'TLSv1.2', 'TLS 1.2';
is $told->{ssl_cipher}, 'ECDHE-ECDSA-AES128-GCM-SHA256', 'its cipher';
is $told->{ssl_curve}, 'prime256v1', 'its group';
is $told->{ssl_server_name}, '', 'no name';
is $told->{ssl_alpn_protocol}, '', 'no ALPN';
my ($ciphers, $curves, $sigalg) = split / /, $c->get('/offers')->body;
like $ciphers, qr/^ECDHE-ECDSA-AES128-GCM-SHA256(?::|$)/, 'the ciphers offered';
is $curves, 'prime256v1', 'the groups offered';
like $sigalg, qr/^ecdsa_/, 'the signature';

is $w->request('GET', '/', port => 'plain')->body, '|' x 9 . 'http||HTTP/1.1', 'a plain connection has none of it';

done_testing;
