# RFC 9525: proxy_ssl_verify with everything that goes with it. What is not verified never gets the request.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;
use Weir::TlsPeer;

my $w      = Weir::Test->new('certificates of peers are verified as told');
my $root   = Weir::Pki->authority($w, 'root');
my $middle = $root->authority('middle');
my $lower  = $middle->authority('lower');
my $other  = Weir::Pki->authority($w, 'other');
my %cert = (
    good     => $root->server('peer.example.com'),
    wild     => $root->server('*.example.com'),
    address  => $root->server('127.0.0.1'),
    deep     => $lower->server('peer.example.com'),
    stranger => $other->server('peer.example.com'),
    expired  => $root->server('peer.example.com', days => [ -10, -1 ]),
    future   => $root->server('peer.example.com', days => [ 5, 10 ]),
    client   => $root->server('peer.example.com', usage => 'clientAuth'),
    revoked  => $root->server('peer.example.com'),
    nameless => $root->server('peer.example.com', san => ''),
);
$root->revoke($cert{revoked});
my $crl = $root->crl;
my %peer = map {
    my $cert = $cert{$_};
    $_ => $w->peer(sub ($c) { Weir::TlsPeer::secure($c, cert => $cert) or return; while (my $r = $c->read_request) { $c->reply(200, 'ok') } });
} sort keys %cert;
my $trust = 'proxy_ssl_verify on; proxy_ssl_trusted_certificate ' . $root->file . ';';
my $named = 'proxy_ssl_name peer.example.com;';
# location => [ peer, directives, what is to come of it ]
my %places = (
    'unverified'          => [ 'stranger', '',                                     200 ],
    'expired-unverified'  => [ 'expired',  '',                                     200 ],
    'good'                => [ 'good',     "$trust $named",                        200 ],
    'wild'                => [ 'wild',     "$trust $named",                        200 ],
    'by-variable'         => [ 'good',     "$trust proxy_ssl_name \$arg_name;",    200 ],
    'wrong-name'          => [ 'good',     "$trust proxy_ssl_name else.example.com;", 502 ],
    'wrong-wild'          => [ 'wild',     "$trust proxy_ssl_name a.b.example.com;", 502 ],
    'address'             => [ 'address',  $trust,                                 200 ],
    'address-without'     => [ 'good',     $trust,                                 502 ],
    'stranger'            => [ 'stranger', "$trust $named",                        502 ],
    'expired'             => [ 'expired',  "$trust $named",                        502 ],
    'future'              => [ 'future',   "$trust $named",                        502 ],
    'a-client-s'          => [ 'client',   "$trust $named",                        502 ],
    'revoked-unseen'      => [ 'revoked',  "$trust $named",                        200 ],
    'revoked'             => [ 'revoked',  "$trust $named proxy_ssl_crl $crl;",    502 ],
    'not-revoked'         => [ 'good',     "$trust $named proxy_ssl_crl $crl;",    200 ],
    'deep'                => [ 'deep',     "$trust $named",                        502 ],
    'deep-enough'         => [ 'deep',     "$trust $named proxy_ssl_verify_depth 2;", 200 ],
    'by-subject'          => [ 'nameless', "$trust $named",                        200 ],
    'by-system'           => [ 'good',     "proxy_ssl_verify on; $named",          502 ],
);
my $locations = join "\n", map { my ($peer, $how) = $places{$_}->@*; "location /$_ { proxy_pass https://$peer{$peer}; $how }" } sort keys %places;
$w->conf("log_format judged '\$uri \$status \$weir_cause'; access_log logs/judged.log judged; server { $locations }", workers => 1);
for my $place (sort keys %places) {
    my ($peer, $how, $want) = $places{$place}->@*;
    my $before = $peer{$peer}->requests;
    is $w->get("/$place?name=peer.example.com")->status, $want, "$place: $want";
    my $cause = $w->wait_for_access(qr{^/$place $want (\S+)$}m, 'judged.log');
    is $cause, $want == 200 ? '-' : 'upstream.tls.verify', "$place: and why";
    is $peer{$peer}->requests - $before, $want == 200 ? 1 : 0, "$place: the request " . ($want == 200 ? 'came' : 'did not come');
}


done_testing;
