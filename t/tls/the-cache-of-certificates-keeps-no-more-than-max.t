# ssl_certificate_cache max=2: the one used longest ago gives way, and is read again when it is asked for.
use v5.36;
use lib 't/lib';
use Weir::Cert;
use Weir::Test;
use Weir::Tls;

my $w   = Weir::Test->new('the cache of certificates keeps no more than max');
my $ca  = Weir::Cert->ca($w, 'root');
my $dir = $w->dir;
mkdir "$dir/by-name" or die $!;
chmod 0755, $dir, "$dir/by-name";
my $place = sub ($name, $of) {
    my $cert = $ca->issue($name, organization => $of);
    $w->write_file("by-name/$name.crt", Weir::Server::slurp($cert->{cert}));
    $w->write_file("by-name/$name.key", Weir::Server::slurp($cert->{key}));
    chmod 0644, "$dir/by-name/$name.key";
};
my @names = map { "$_.example" } qw(a b c);
$place->($_, 'first') for @names;
$w->conf(<<"END", workers => 1);
    server {
        listen 127.0.0.1:%%PORT%% ssl; ssl_certificate $dir/by-name/\$ssl_server_name.crt; ssl_certificate_key $dir/by-name/\$ssl_server_name.key;
        ssl_certificate_cache max=2 valid=1h inactive=1h;
        location / { return 200 ok; }
    }
END

sub of ($name) { Weir::Tls::client($w, sni => $name)->tls->peer_certificate('subject') =~ m{O=([^/]+)} ? $1 : '' }
is of($_), 'first', "$_ is read" for 'a.example', 'b.example', 'a.example';
$place->($_, 'second') for @names;
is of('c.example'), 'second', 'a third is read: b, not used for longest, gives way';
is of('a.example'), 'first', 'a is kept';
is of('b.example'), 'second', 'b is read again: c gives way';
is of('a.example'), 'first', 'a is still kept';

done_testing;
