# Upgrade: h2c is for clear text; over TLS, HTTP/2 is agreed on in the handshake. The request is served as if the field were not there.
use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w    = Weir::Test->new('an upgrade to h2c means nothing over TLS');
my $cert = Weir::Cert->ca($w, 'root')->issue('localhost');
my $echo = $w->echo_origin;
$w->conf("ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key};
    server { listen 127.0.0.1:%%PORT%% ssl; http2 on; location / { return 200 \$server_protocol; } location /up { proxy_pass http://$echo; } }", workers => 1);
my @upgrade = ('Connection' => 'Upgrade, HTTP2-Settings', 'Upgrade' => 'h2c', 'HTTP2-Settings' => 'AAMAAABkAARAAAAAAAIAAAAA');
my $c       = Weir::Tls::client($w);
my $answer  = $c->get('/', @upgrade);
is $answer->status, 200, 'no 101';
is $answer->body, 'HTTP/1.1', 'it stays HTTP/1.1';
is $answer->header('Upgrade'), undef, 'and none is offered';
my $seen = $w->seen($c->get('/up', @upgrade));
is $seen->header($_), undef, "$_ goes to no peer" for qw(Upgrade HTTP2-Settings);
is $c->get('/')->status, 200, 'the connection goes on';
done_testing;
