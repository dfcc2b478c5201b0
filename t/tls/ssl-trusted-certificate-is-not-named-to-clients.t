# ssl_trusted_certificate beside ssl_client_certificate: both vouch for a client, only the latter is named to clients in the handshake.
use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w       = Weir::Test->new('ssl trusted certificate is not named to clients');
my $named   = Weir::Cert->ca($w, 'named');
my $trusted = Weir::Cert->ca($w, 'trusted');
my $own     = Weir::Cert->ca($w, 'servers')->issue('localhost');
my %client  = (named => $named->issue('alice', for => 'client'), trusted => $trusted->issue('bob', for => 'client'),
    others => Weir::Cert->ca($w, 'others')->issue('mallory', for => 'client'));
my $server = sub ($port, $authorities) {
    "server { listen 127.0.0.1:%%PORT_$port%% ssl; ssl_verify_client on; $authorities location / { return 200 \$ssl_client_verify; } }";
};
$w->conf("ssl_certificate $own->{cert}; ssl_certificate_key $own->{key};\n"
    . $server->('both', "ssl_client_certificate $named->{cert}; ssl_trusted_certificate $trusted->{cert};")
    . $server->('one', "ssl_trusted_certificate $trusted->{cert};"), workers => 1);
my $ask = sub ($port, $who) { Weir::Tls::client($w, port => $port, cert => $client{$who})->get('/')->status };
is $ask->('both', $_), 200, "both: $_" for qw(named trusted);
is $ask->('both', 'others'), 400, 'others are strangers';
is $ask->('one', 'trusted'), 200, 'one that is only trusted is enough';
is $ask->('one', 'named'), 400, '… and vouches for its own';
my $names = sub ($port) { ($w->command(20, 'sh', '-c', "echo | openssl s_client -connect 127.0.0.1:" . $w->port($port) . " 2>&1"))[1] =~ /Acceptable client certificate CA names\n(.*?)\n(?:Req|Client|Shared|Peer)/s ? $1 : '' };
like $names->('both'), qr/CN ?= ?named/, 'the one is named';
unlike $names->('both'), qr/trusted/, '… the other is not';
is $names->('one'), '', 'nobody is named where all are only trusted';
done_testing;
