use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w       = Weir::Test->new('client certificates are asked for in four ways');
my $ca      = Weir::Cert->ca($w, 'clients');
my $mid     = $ca->issue('middle', CA => 1);
my $deep    = $mid->issue('deep', for => 'client');
my $alice   = $ca->issue('alice', for => 'client');
my $old     = $ca->issue('old', for => 'client', not_before => -7200, not_after => -3600);
my $young   = $ca->issue('young', for => 'client', not_before => 3600);
my $server  = $ca->issue('server');
my $gone    = $ca->issue('gone', for => 'client');
my $strange = Weir::Cert->ca($w, 'others')->issue('mallory', for => 'client');
my $crl     = $ca->crl($gone);
my $own     = Weir::Cert->ca($w, 'servers')->issue('localhost');
my $block = sub ($port, $verify) { <<"END" };
    server {
        listen 127.0.0.1:%%PORT_$port%% ssl;
        ssl_verify_client $verify;
        location / { return 200 "\$ssl_client_verify|\$ssl_client_s_dn|\$ssl_client_i_dn|\$ssl_client_serial"; }
        error_page 495 = /bad;
        error_page 496 = /none;
        location = /bad { return 200 "495 \$ssl_client_verify"; }
        location = /none { return 200 496; }
    }
END
$w->conf("ssl_certificate $own->{cert}; ssl_certificate_key $own->{key}; ssl_client_certificate $ca->{cert};"
    . $block->('on', 'on') . $block->('optional', 'optional') . $block->('no_ca', 'optional_no_ca') . $block->('off', 'off')
    . $block->('crl', "on; ssl_crl $crl") . $block->('deep', 'on; ssl_verify_depth 2')
    . "server { listen 127.0.0.1:%%PORT_plain%% ssl; ssl_verify_client on; location / { return 200 ok; } }", workers => 1);
my $ask = sub ($port, $cert) { Weir::Tls::client($w, port => $port, cert => $cert)->get('/')->body };

like $ask->('on', $alice), qr{^SUCCESS\|(?=[^|]*CN=alice)[^|]*\|(?=[^|]*CN=clients)[^|]*\|[0-9A-F]+$}, 'on: a good one';
is $ask->('on', undef), '496', 'on: none is 496';
like $ask->('on', $strange), qr/^495 FAILED:/, 'on: of an unknown authority is 495';
like $ask->('on', $old), qr/^495 FAILED:certificate has expired/, 'on: expired';
like $ask->('on', $young), qr/^495 FAILED:certificate is not yet valid/, 'on: not yet valid';
like $ask->('on', $server), qr/^495 FAILED:unsu.+purpose/, 'on: a certificate of servers';
like $ask->('on', $deep), qr/^SUCCESS/, 'on: with one between it and the root, which ssl_verify_depth allows';
like $ask->('deep', $deep), qr/^SUCCESS/, 'a greater depth does as well';
like $ask->('optional', $alice), qr/^SUCCESS/, 'optional: a good one';
like $ask->('optional', undef), qr/^NONE\|\|\|$/, 'optional: none';
like $ask->('optional', $strange), qr/^495 FAILED/, 'optional: a bad one is refused';
like $ask->('no_ca', $strange), qr/^FAILED:.*CN=mallory/, 'optional_no_ca: of an unknown authority is let pass and told';
like $ask->('no_ca', $old), qr/^495 FAILED/, 'optional_no_ca: expired is not';
like $ask->('off', $alice), qr/^NONE/, 'off: nobody is asked';
like $ask->('crl', $gone), qr/^495 FAILED:certificate revoked/, 'ssl_crl: a revoked one';
like $ask->('crl', $alice), qr/^SUCCESS/, 'ssl_crl: another one';

my $answer = Weir::Tls::client($w, port => 'plain')->get('/');
is $answer->status, 400, 'without error_page the answer is 400';
like $answer->body, qr/No required SSL certificate was sent/, 'and says why';

done_testing;
