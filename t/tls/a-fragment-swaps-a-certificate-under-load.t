# A fragment names another certificate while clients make handshakes without a
# pause: none fails, and the new one is shown.  A key that is another certificate's is refused, and the old one stays.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Cert;
use Weir::Fragments;
use Weir::Test;
use Weir::Tls;

my $w = Weir::Test->new('a fragment swaps a certificate under load')->needs_weir;
my $f = Weir::Fragments->new($w);
my $ca = Weir::Cert->ca($w, 'root');
my @certs = map { $ca->issue("one$_.example") } 0 .. 3;
my $n = 0;
my $put = sub ($cert, $key = $cert) {
    $n++;
    $f->put('site.conf', "server { listen 127.0.0.1:%%PORT_tls%% ssl; server_name one; ssl_certificate $cert->{cert}; "
        . "ssl_certificate_key $key->{key}; location / { return 200 n$n; } }");
};
my $body = sub { my $a = $w->tls(port => 'tls')->send_request('GET', '/')->read_response; $a->body };

$put->($certs[0]);
$w->conf('fragments parts; server { location / { return 200 plain; } }');
is $body->(), 'n1', 'a server of a fragment speaks TLS';
my $port = $w->port('tls');
my $load = $w->child(sub {
    require Weir::TlsClient;
    my $done = 0;
    until (-e $w->dir . '/enough') {
        my $client = Weir::TlsClient->open(port => $port);
        $client->send_request('GET', '/')->read_response->status == 200 or die "an answer was wrong\n";
        $client->close;
        $done++;
    }
    $w->write_file('handshakes', $done);
});
for my $cert (@certs[ 1 .. 3 ]) {
    $put->($cert);
    $w->wait_until("version $n is live", sub { my $all = 1; $all &&= $body->() eq "n$n" for 1 .. 4; $all });
    pass "certificate $n is in use";
}
$put->($certs[0], $certs[1]);
ok $w->wait_for_log(qr/fragment "site.conf" is refused, its last good version stays: .*key/i), 'a key of another one is refused';
is $body->(), 'n4', 'the one before stays';
$w->write_file('enough', '');
my ($code, $said) = $load->(60);
is $code, 0, 'no handshake failed' or diag $said;
cmp_ok Weir::Server::slurp($w->dir . '/handshakes'), '>', 3, 'there were some';
done_testing;
