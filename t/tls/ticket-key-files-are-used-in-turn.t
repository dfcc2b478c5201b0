use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w    = Weir::Test->new('ticket key files are used in turn');
$w->allow_log(qr/\[emerg\]/);
my $cert = Weir::Cert->ca($w, 'root')->issue('localhost');
$w->write_file($_->[0], $_->[1] x $_->[2]) for [ 'a', 'A', 80 ], [ 'b', 'B', 48 ], [ 'c', 'C', 80 ], [ 'short', 'x', 47 ];
my $text = sub (@keys) { join '', "server { listen 127.0.0.1:%%PORT%% ssl; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; ",
    (map { "ssl_session_ticket_key %%DIR%%/$_;" } @keys), " location / { return 200 '\$ssl_session_reused'; } }" };
my ($code, $said) = $w->check_conf($text->('short'));
like "$code $said", qr/^1 .*short" must be 48 or 80 bytes/s, 'a file of another size is refused';
$w->conf($text->('a'));

sub ask ($w, %arg) { my $c = Weir::Tls::client($w, %arg); my $reused = $c->get('/')->body; return ($reused, $c->session) }

for my $version (qw(TLSv1_2 TLSv1_3)) {
    $w->reload($text->('a'));
    my (undef, $session) = ask($w, version => $version);
    my ($reused) = ask($w, version => $version, session => $session);
    is $reused, 'r', "$version: one key";
    $w->reload($text->('b', 'a'));
    ($reused, my $next) = ask($w, version => $version, session => $session);
    is $reused, 'r', "$version: the second still decrypts";
    $w->reload($text->('b'));
    ($reused) = ask($w, version => $version, session => $next);
    is $reused, 'r', "$version: what was issued meanwhile is under the first";
    ($reused) = ask($w, version => $version, session => $session);
    is $reused, '.', "$version: a key that has gone is not known";
}

done_testing;
