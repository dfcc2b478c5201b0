use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;
my $w    = Weir::Test->new('HTTP/2 is chosen by ALPN');
my $cert = Weir::Cert->ca($w, 'root')->issue('localhost');
$w->conf("ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key};
    server { listen 127.0.0.1:%%PORT_h2%% ssl; http2 on; location / { return 200 \$server_protocol; } }
    server { listen 127.0.0.1:%%PORT_of_old%% ssl http2; location / { return 200 \$server_protocol; } }
    server { listen 127.0.0.1:%%PORT_h1%% ssl; location / { return 200 \$server_protocol; } }");
for (['h2', ['h2', 'http/1.1'], 'h2'], ['h2', ['http/1.1', 'h2'], 'h2'], ['h2', ['http/1.1'], 'http/1.1'], ['h1', ['h2', 'http/1.1'], 'http/1.1'],
    ['of_old', ['h2'], 'h2'], ['h2', undef, undef])
{
    my ($port, $offered, $want) = @$_;
    my $c = Weir::Tls::client($w, port => $port, alpn => $offered);
    is $c->tls->alpn_selected, $want, "$port, offered " . join(' ', ($offered // ['nothing'])->@*);
    is $c->get('/')->body, 'HTTP/1.1', 'and spoken' unless ($want // '') eq 'h2';
}
like Weir::Tls::refusal($w, port => 'h2', alpn => ['smtp']), qr/no application protocol/, 'nothing in common: no_application_protocol';
like Weir::Tls::refusal($w, port => 'h1', alpn => ['h2']), qr/no application protocol/, 'h2 where it is off';
is((($w->command(10, 'curl', '-sk', '--http2', 'https://127.0.0.1:' . $w->port('h2') . '/'))[1]), 'HTTP/2.0', 'curl --http2');
is((($w->command(10, 'curl', '-sk', '--http1.1', 'https://127.0.0.1:' . $w->port('h2') . '/'))[1]), 'HTTP/1.1', 'curl --http1.1');

done_testing;
