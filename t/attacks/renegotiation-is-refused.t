# A client that asks for another handshake on its connection gets none, however often, and costs nothing.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;
use Weir::TlsClient;

my $w    = Weir::Test->new('renegotiation is refused');
my $root = Weir::Pki->authority($w, 'root');
my $site = $root->server('localhost');
$w->conf("server { listen 127.0.0.1:%%PORT%% ssl; @{[ $site->conf ]} location / { return 200 ok; } }", workers => 1);

my $made = 0;
for my $n (1 .. 100) {
    my $client = $w->tls(version => 'TLSv1.2');
    $made += $client->renegotiate;
    $client->close;
}
is $made, 0, 'none of a hundred is made in TLS 1.2';

# The extension is there, so that a client of today trusts the handshake (RFC 5746).
my ($code, $said) = $w->command(10, '/bin/sh', '-c', "echo | openssl s_client -connect 127.0.0.1:@{[ $w->port ]} -tls1_2");
like $said, qr/Secure Renegotiation IS supported/, 'secure renegotiation is announced';

my $client = $w->tls(version => 'TLSv1.2');
is $client->get('/')->status, 200, 'others are served';
is $w->workers, 1, 'by the same worker';

done_testing;
