use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w    = Weir::Test->new('ssl_reject_handshake refuses names');
my $cert = Weir::Cert->ca($w, 'root')->issue('known.example');
$w->conf(<<"END");
    server { listen 127.0.0.1:%%PORT%% ssl default_server; ssl_reject_handshake on; location / { return 200 never; } }
    server { listen 127.0.0.1:%%PORT%% ssl; server_name known.example; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; location / { return 200 ok; } }
END
is Weir::Tls::client($w, sni => 'known.example')->send_request('GET', '/', host => 'known.example')->read_response->body, 'ok', 'a known name';
like Weir::Tls::refusal($w, sni => 'other.example'), qr/unrecognized name/, 'an unknown one: unrecognized_name';
like Weir::Tls::refusal($w, sni => ''), qr/unrecognized name/, 'none';
ok $w->wait_for_log(qr/cause: client\.tls\.handshake/), 'the log has the cause';

done_testing;
