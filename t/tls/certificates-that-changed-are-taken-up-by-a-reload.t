use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w    = Weir::Test->new('certificates that changed are taken up by a reload');
my $ca   = Weir::Cert->ca($w, 'root');
my $put  = sub ($cert) { $w->write_file("site.$_", Weir::Server::slurp($cert->{$_})) for qw(cert key) };
my $text = "server { listen 127.0.0.1:%%PORT%% ssl; ssl_certificate %%DIR%%/site.cert; ssl_certificate_key %%DIR%%/site.key; location / { return 200 ok; } }";
$put->($ca->issue('one'));
$w->conf($text);
my @open = map { Weir::Tls::client($w, ca => $ca) } 1 .. 10;
is $_->get('/')->body, 'ok', 'a connection with the old one' for @open;
$put->($ca->issue('two'));
$w->reload;
is Weir::Tls::client($w)->tls->peer_certificate('cn'), 'two', 'new connections see the new one';
is $_->get('/')->body, 'ok', 'connections of before go on' for @open;
$w->write_file('site.key', "no key\n");
$w->reload_refused($text, qr/cannot load certificate key ".*site\.key"/);
is Weir::Tls::client($w)->tls->peer_certificate('cn'), 'two', 'a bad file changes nothing';
$put->($ca->issue('three'));
$w->write_file('site.key', Weir::Server::slurp($ca->issue('other')->{key}));
$w->reload_refused($text, qr/is not that of the certificate/);
is Weir::Tls::client($w)->tls->peer_certificate('cn'), 'two', 'nor does a key of another certificate';

done_testing;
