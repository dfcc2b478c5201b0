use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;
my $w      = Weir::Test->new('close notify is sent and required');
my $ca     = Weir::Cert->ca($w, 'root');
my $cert   = $ca->issue('localhost');
my $origin = $w->echo_origin;
$w->conf("server { listen 127.0.0.1:%%PORT%% ssl; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; location / { proxy_pass http://$origin; } location /now { return 200 ok; } }");
my $c = Weir::Tls::client($w);
$c->send("GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
is $c->read_response->body, 'ok', 'an answer that closes';
ok $c->at_eof, 'then the end';
ok $c->said_goodbye, 'which close_notify says';

# half a body, then the socket's end without close_notify
$c = Weir::Tls::client($w);
$c->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
shutdown $c->tls, 1;
ok $w->wait_for_log(qr/cause: client\.(?:closed|body\.incomplete)/), 'a cut body is told';
is $origin->requests, 0, 'and not sent on';

done_testing;
