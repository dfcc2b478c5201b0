# $ssl_client_cert is in lines, each but the first with a tab before it.  In a field for a peer it is one line, as a reader of the fold would make it.
use v5.36;
use lib 't/lib';
use Weir::Cert;
use Weir::Test;
use Weir::Tls;

my $w      = Weir::Test->new('a certificate may be sent to a peer')->needs_weir;
my $origin = $w->echo_origin;
my $root   = Weir::Cert->ca($w, 'root');
my ($cert, $alice) = ($root->issue('localhost'), $root->issue('alice', for => 'client'));
$w->conf(<<"END");
    server {
        listen 127.0.0.1:%%PORT%% ssl; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; ssl_client_certificate $root->{cert}; ssl_verify_client optional;
        location / { proxy_pass http://$origin; proxy_set_header X-Cert \$ssl_client_cert; proxy_set_header X-Escaped \$ssl_client_escaped_cert; }
        location /text { return 200 \$ssl_client_cert; }
        location /raw { return 200 \$ssl_client_raw_cert; }
    }
END

my $c   = Weir::Tls::client($w, cert => $alice);
my $pem = $alice->pem;
is $c->get('/raw')->body, $pem, 'raw: as it is';
is $c->get('/text')->body, $pem =~ s/\n\z//r =~ s/\n/\n\t/gr, 'in lines with a tab';
my $seen = $w->seen($c->get('/'));
is $seen->header('X-Cert'), $pem =~ s/\n\z//r =~ s/\n/ /gr, 'to a peer: with spaces';
is $seen->header('X-Escaped') =~ s/%([0-9A-F]{2})/chr hex $1/ger, $pem, 'escaped: all of it';
is $w->seen(Weir::Tls::client($w)->get('/'))->header('X-Cert'), undef, 'without one: no field';

done_testing;
