use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w   = Weir::Test->new('a server has certificates of several key types');
my $ca  = Weir::Cert->ca($w, 'root');
my $mid = $ca->issue('middle', CA => 1);
my $ec  = $mid->issue('localhost', names => ['localhost']);
my $rsa = $mid->issue('localhost', names => ['localhost'], type => 'rsa');
$w->conf(<<"END");
    ssl_certificate $ec->{cert};
    ssl_certificate_key $ec->{key};
    ssl_certificate $rsa->{cert};
    ssl_certificate_key $rsa->{key};
    server { listen 127.0.0.1:%%PORT%% ssl; location / { return 200 "\$ssl_cipher"; } }
END
for (['ECDHE-ECDSA-AES256-GCM-SHA384', $ec], ['ECDHE-RSA-AES256-GCM-SHA384', $rsa]) {
    my ($cipher, $cert) = @$_;
    my $c = Weir::Tls::client($w, version => 'TLSv1_2', ciphers => $cipher, ca => $ca);
    is $c->get('/')->body, $cipher, "$cipher, its chain complete to the root";

}

done_testing;
