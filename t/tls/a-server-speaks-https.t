# The least: a certificate, `listen … ssl`, an answer; the transport is told as https.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;

my $w    = Weir::Test->new('a server speaks https');
my $root = Weir::Pki->authority($w, 'root');
my $mid  = $root->authority('middle');
my $site = $mid->server('example.com');
$w->conf("server { listen 127.0.0.1:%%PORT%% ssl; @{[ $site->conf ]} location / { return 200 '\$scheme \$https \$request_uri'; } }");

for my $version ('TLSv1.2', 'TLSv1.3') {
    my $client = $w->tls(version => $version, name => 'example.com', ca => $root);
    is $client->version, $version, "$version is spoken";
    is $client->peer, 'example.com', 'the certificate was sent, with its chain: it verified';
    is $client->get("/$_")->body, "https on /$_", "$version: request $_ on one connection" for 1, 2;
}

done_testing;
