use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w  = Weir::Test->new('names of certificates may have variables');
my $ca = Weir::Cert->ca($w, 'root');
my %c  = map { $_ => $ca->issue($_) } qw(a.example b.example);
mkdir $w->dir . '/by-name';
chmod 0755, $w->dir . '/by-name';
my $place = sub ($name, $cert) {
    $w->write_file("by-name/$name.crt", Weir::Server::slurp($cert->{cert}));
    $w->write_file("by-name/$name.key", Weir::Server::slurp($cert->{key}));
    chmod 0644, $w->dir . "/by-name/$name.key";
};
$place->($_, $c{$_}) for keys %c;
my $text = sub ($cache) { <<"END" };
    server {
        listen 127.0.0.1:%%PORT%% ssl;
        ssl_certificate %%DIR%%/by-name/\$ssl_server_name.crt;
        ssl_certificate_key %%DIR%%/by-name/\$ssl_server_name.key;
        $cache
        location / { return 200 "\$ssl_server_name"; }
    }
END
$w->conf($text->(''), workers => 1);
for my $name (sort keys %c) {
    my $c = Weir::Tls::client($w, sni => $name, ca => $ca);
    is $c->tls->peer_certificate('cn'), $name, "the certificate of $name";
    is $c->get('/')->body, $name, 'and it is served';
}
like Weir::Tls::refusal($w, sni => 'nobody.example'), qr/tls/, 'a name without files is refused';
ok $w->wait_for_log(qr/cannot load certificate or key ".*nobody\.example\.crt"/), 'and the log says which';
$place->($_, $c{'a.example'}) for '..', 'a..example';
like Weir::Tls::refusal($w, sni => $_), qr/tls/, "a name that would lead out is refused: $_" for '.', '..', '...', '.a', 'a..example';

my $new = $ca->issue('a.example', organization => 'Later');
$place->('a.example', $new);
is org(Weir::Tls::client($w, sni => 'a.example')), 'Later', 'without a cache a changed file is seen at once';

$w->reload($text->('ssl_certificate_cache max=10 valid=1h inactive=1h;'));
is org(Weir::Tls::client($w, sni => 'a.example')), 'Later', 'with a cache it is read once';
$place->('a.example', $c{'a.example'});
is org(Weir::Tls::client($w, sni => 'a.example')), 'Later', 'and kept';

sub org ($c) { $c->tls->peer_certificate('subject') =~ m{O=([^/]+)} ? $1 : '' }

done_testing;
