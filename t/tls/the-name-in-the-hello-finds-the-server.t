use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w  = Weir::Test->new('the name in the hello finds the server');
my $ca = Weir::Cert->ca($w, 'root');
my %c  = map { $_ => $ca->issue($_) } qw(first exact wild regex);
my $server = sub ($name, $names, $listen = 'ssl') {
    "server { listen 127.0.0.1:%%PORT%% $listen; server_name $names; ssl_certificate $c{$name}{cert}; ssl_certificate_key $c{$name}{key}; location / { return 200 '$name'; } }\n";
};
$w->conf(join '', $server->('first', 'first.example', 'ssl default_server'), $server->('exact', 'www.example'),
    $server->('wild', '*.example'), $server->('regex', '"~^n\d+\.test$"'));

sub name_of ($c) { $c->tls->peer_certificate('cn') }

my @cases = (
    [ 'first.example', 'first' ], [ 'www.example', 'exact' ], [ 'WWW.Example', 'exact' ], [ 'www.example.', 'exact' ], [ 'a.example', 'wild' ],
    [ 'a.b.example', 'wild' ], [ 'n42.test', 'regex' ], [ 'nobody.test', 'first' ], [ '', 'first' ],
);
for (@cases) {
    my ($sni, $want) = @$_;
    is name_of(Weir::Tls::client($w, sni => $sni)), $want, "'$sni' leads to $want";
}
# The request's own name decides who answers, when both servers ask the same of clients.
my $c = Weir::Tls::client($w, sni => 'www.example');
is $c->send_request('GET', '/', host => 'a.example')->read_response->body, 'wild', 'Host chooses among servers of one policy';

done_testing;
