use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w    = Weir::Test->new('plain HTTP on a TLS port is told so');
my $cert = Weir::Cert->ca($w, 'root')->issue('localhost');
$w->conf("server { listen 127.0.0.1:%%PORT%% ssl; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; location / { return 200 ok; } }
    server { listen 127.0.0.1:%%PORT_moved%% ssl; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; error_page 497 https://elsewhere.example\$request_uri; location / { return 200 ok; } }");
my $answer = $w->get('/');
is $answer->status, 400, 'the answer is 400';
like $answer->body, qr/plain HTTP request was sent to HTTPS port/, 'and says why';
ok $w->wait_for_log(qr/cause: client\.tls\.plain/), 'the log has the cause';
$answer = $w->request('GET', '/path?q', port => 'moved');
is $answer->status, 302, 'error_page 497 may lead there';
is $answer->header('Location'), 'https://elsewhere.example/path?q', 'with the same target';
is $w->client->send("EHLO mail\r\n\r\n")->take_all =~ s/\r\n.*//sr, 'HTTP/1.1 400 Bad Request', 'another protocol is refused as well';
is $w->client->send("\0\1\2garbage\n")->take_all =~ /^HTTP|^$/ ? 1 : 0, 1, 'garbage ends the connection';
is Weir::Tls::client($w)->get('/')->body, 'ok', 'and TLS is served';

done_testing;
