# ssl_ocsp: questions to a responder share connections and are counted, as requests to any upstream are; an answer in chunks is read.
use v5.36;
use lib 't/lib';
use JSON::PP qw(decode_json);
use Weir::Pki;
use Weir::Test;

my $w         = Weir::Test->new('an OCSP responder is asked over a kept connection');
my $root      = Weir::Pki->authority($w, 'root');
my $site      = $root->server('localhost');
my @certs     = map { $root->client("client$_") } 1 .. 3;
my $knows     = $root->ocsp_responder;
my $responder = $w->origin($knows);
$w->needs_weir;
$w->allow_log(qr{\[emerg\]});
$w->conf(<<"END", workers => 1);
    upstream revocation { server $responder; keepalive 2; }
    server {
        listen 127.0.0.1:%%PORT_tls%% ssl; @{[ $site->conf ]} ssl_verify_client on; ssl_client_certificate @{[ $root->file ]};
        ssl_ocsp on; ssl_ocsp_responder http://revocation/ask;
        location / { return 200 ok; }
    }
    server { listen 127.0.0.1:%%PORT_status%%; location / { status; } }
END
for my $cert (@certs) {
    my $client = $w->tls(port => 'tls', name => 'localhost', cert => $cert);
    is $client->get('/')->status, 200, 'a certificate that the responder calls good is let in';
    $client->close;
}
is $responder->requests, 3, 'each was asked about';
is $responder->connections, 1, '… over one connection';
is +($responder->lines)[0], 'POST /ask', '… at the path of the URL, of the group of that name';
my $group = decode_json($w->request('GET', '/', port => $w->port('status'))->body)->{upstreams}{revocation};
is $group->{requests}, 3, 'the statistics of the group have them';
my ($code, $said) = $w->check_conf('server { listen 127.0.0.1:1 ssl; ' . $site->conf . ' ssl_verify_client on; ssl_client_certificate ' . $root->file
    . '; ssl_ocsp on; ssl_ocsp_responder http://does-not-exist.invalid/; }');
isnt $code, 0, 'a host that is not found is refused';
like $said, qr/host not found in upstream "does-not-exist\.invalid"/, '… and named';
done_testing;
