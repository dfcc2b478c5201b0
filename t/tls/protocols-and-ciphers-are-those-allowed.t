use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;
my $w    = Weir::Test->new('protocols and ciphers are those allowed');
my $ca   = Weir::Cert->ca($w, 'root');
my $ec   = $ca->issue('localhost');
my $rsa  = $ca->issue('localhost', type => 'rsa');
my $dh   = $w->write_file('dh.pem', scalar qx(openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 2>/dev/null));
my $x942 = $w->write_file('x942.pem', scalar qx(openssl dhparam -dsaparam -outform PEM 2048 2>/dev/null));
my $block = sub ($port, $more) { "server { listen 127.0.0.1:%%PORT_$port%% ssl; $more location / { return 200 '\$ssl_protocol \$ssl_cipher \$ssl_curve'; } }\n" };
$w->conf("ssl_certificate $ec->{cert}; ssl_certificate_key $ec->{key}; ssl_certificate $rsa->{cert}; ssl_certificate_key $rsa->{key};"
    . $block->('plain', '') . $block->('new', 'ssl_protocols TLSv1.3;') . $block->('old', 'ssl_protocols TLSv1.2;')
    . $block->('ciphers', 'ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;')
    . $block->('ours', 'ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384; ssl_prefer_server_ciphers on;')
    . $block->('theirs', 'ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384;')
    . $block->('suites', 'ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256;') . $block->('curve', 'ssl_ecdh_curve P-384;')
    . $block->('dhe', "ssl_dhparam $dh; ssl_ciphers DHE-RSA-AES128-GCM-SHA256;") 
    . $block->('x942', "ssl_dhparam $x942; ssl_ciphers DHE-RSA-AES128-GCM-SHA256;") . $block->('nodhe', 'ssl_ciphers DHE-RSA-AES128-GCM-SHA256;'));
my $ask = sub ($port, %arg) { my $c = eval { Weir::Tls::client($w, port => $port, %arg) } or return 'refused'; $c->get('/')->body };

like $ask->('plain'), qr/^TLSv1\.3 /, 'TLS 1.3 by default';
like $ask->('plain', version => 'TLSv1_2'), qr/^TLSv1\.2 ECDHE/, 'and 1.2';
is $ask->('plain', version => $_, ciphers => 'ALL:@SECLEVEL=0'), 'refused', "$_ is refused" for qw(TLSv1_1 TLSv1);
is $ask->('plain', version => 'TLSv1_2', ciphers => $_), 'refused', "$_ is refused" for 'NULL-SHA256:@SECLEVEL=0', 'AECDH-NULL-SHA:@SECLEVEL=0';
is $ask->('new', version => 'TLSv1_2'), 'refused', 'ssl_protocols TLSv1.3: no 1.2';
is $ask->('old', version => 'TLSv1_3'), 'refused', 'ssl_protocols TLSv1.2: no 1.3';
is $ask->('ciphers', version => 'TLSv1_2', ciphers => 'ECDHE-RSA-AES256-GCM-SHA384'), 'refused', 'ssl_ciphers: another';
like $ask->('ciphers', version => 'TLSv1_2'), qr/ ECDHE-RSA-AES128-GCM-SHA256 /, 'ssl_ciphers: that one';
my $both = 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256';
like $ask->('ours', version => 'TLSv1_2', ciphers => $both), qr/AES128/, 'ssl_prefer_server_ciphers on: our order';
like $ask->('theirs', version => 'TLSv1_2', ciphers => $both), qr/AES256/, 'off: the client\'s';
like $ask->('suites'), qr/ TLS_CHACHA20_POLY1305_SHA256 /, 'ssl_conf_command Ciphersuites';
like $ask->('curve'), qr/ secp384r1$/, 'ssl_ecdh_curve';
is $ask->('curve', curves => 'X25519'), 'refused', 'another one is refused';
like $ask->('dhe', version => 'TLSv1_2', ciphers => 'DHE-RSA-AES128-GCM-SHA256'), qr/ DHE-RSA/, 'ssl_dhparam';
like $ask->('x942', version => 'TLSv1_2', ciphers => 'DHE-RSA-AES128-GCM-SHA256'), qr/ DHE-RSA/,
    'ssl_dhparam of `openssl dhparam -dsaparam`';
is $ask->('nodhe', version => 'TLSv1_2', ciphers => 'DHE-RSA-AES128-GCM-SHA256'), 'refused', 'without it no DHE';

done_testing;
