# Expired, not yet valid, for another use, too deep, huge, of nobody known, revoked, unknown to its list: each is refused, and
# nothing of it goes upstream. And no certificate is asked for after the handshake.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;

my $w      = Weir::Test->new("what is wrong with a client's certificate is 400");
my $origin = $w->echo_origin;
my $root   = Weir::Pki->authority($w, 'root');
my $mid    = $root->authority('middle');
my $other  = Weir::Pki->authority($w, 'other');
my $fake   = Weir::Pki->authority($w, 'root');                     # the same name, another key
my $weak   = $root->client('not an authority');
my $gone   = $root->client('revoked');
my $site   = $root->server('*.example.com');
$root->revoke($gone);

my %servers = (
    on    => "ssl_verify_client on; ssl_client_certificate $root;",
    deep  => "ssl_verify_client on; ssl_client_certificate $root; ssl_verify_depth 2;",
    crl   => "ssl_verify_client on; ssl_client_certificate $root; ssl_verify_depth 2; ssl_crl @{[ $root->crl ]};",
    stale => "ssl_verify_client on; ssl_client_certificate $root; ssl_crl @{[ $root->stale_crl ]};",
    maybe => "ssl_verify_client optional; ssl_client_certificate $root;",
    any   => "ssl_verify_client optional_no_ca;",
);
$w->conf(join('', map { "server { listen 127.0.0.1:%%PORT%% ssl; server_name $_.example.com; @{[ $site->conf ]} $servers{$_}
    location / { proxy_pass http://$origin; proxy_set_header X-Verify \$ssl_client_verify; proxy_set_header X-Dn \$ssl_client_s_dn; } }\n" }
    sort keys %servers), workers => 1);

sub status ($server, $cert, %arg) {
    my @status;
    for my $version ('TLSv1.2', 'TLSv1.3') {
        my $client = eval { $w->tls(name => "$server.example.com", ($cert ? (cert => $cert) : ()), version => $version, %arg) };
        my $answer = $client && eval { $client->send_request('GET', '/', host => "$server.example.com")->read_response };
        push @status, $answer ? $answer->status : 'none';
        $client->close if $client;
    }
    return $status[0] eq $status[1] ? $status[0] : "@status";
}

my $good = $root->client('alice');
is status(on => $good), 200, 'a good one passes';
is status(on => undef), 400, 'none is refused';

my $no_use = $root->client('no use', usage => '');
my %bad = (
    'expired'                   => $root->client('late', days => [ -10, -1 ]),
    'not yet valid'             => $root->client('early', days => [ 1, 10 ]),
    'for servers only'          => $root->client('a server', usage => 'serverAuth'),
    'for signing code'          => $root->client('a signer', usage => 'codeSigning'),
    'of an authority unknown'   => $other->client('alice'),
    'of one that has its name'  => $fake->client('alice'),
    'signed by no authority'    => $weak->become_authority->client('alice'),
    'an authority of its own'   => $other,
    'too deep'                  => $mid->authority('lower')->client('alice'),
);
for my $what (sort keys %bad) {
    is status(on => $bad{$what}), 400, "$what, where one is required";
    is status(maybe => $bad{$what}), 400, "$what, where one may be";
}
is status(maybe => undef), 200, 'where one may be, none is fine';
is status(on => $no_use), 200, 'one without a stated use is good for any';

is status(any => $other->client('alice')), 200, 'of an authority unknown, where that does not matter';
is status(any => $bad{expired}), 400, 'that it expired matters there too';

my $lower = $mid->client('alice');
is status(on => $lower), 200, 'one between it and the root, ssl_verify_depth 1';
is status(deep => $bad{'too deep'}), 200, 'two, ssl_verify_depth 2';

is status(crl => $good), 200, 'not on the list';
is status(crl => $gone), 400, 'on the list';
is status(crl => $lower), 400, 'an authority between that has no list: not known to be good';
is status(stale => $good), 400, 'a list that is out of date says nothing';

# -- long and large --
my $ca = $root;
$ca = $ca->authority("level $_") for 1 .. 40;
is status(on => $ca->client('alice')), 400, 'a chain of forty';
my $long = $root->client('alice');
my $copies = sub ($bytes) {
    my $pem = $long->pem;
    $long->text_file('long.pem', $long->pem x (1 + $bytes / (length($pem) * 3 / 4)));
};
{
    no warnings 'redefine';
    my $file = $copies->(64 * 1024);
    local *Weir::Pki::file = sub { $file };
    is status(on => $long), 200, 'its own followed by 64 KiB of others: those are not looked at';
    $file = $copies->(500 * 1024);
    is status(on => $long), 'none', 'half a MiB of them ends the handshake';
}

# -- names --
my $evil = $root->client("/CN=evil\x01\x7f", extensions => 'subjectAltName=DNS:localhost');
my $client = $w->tls(name => 'on.example.com', cert => $evil);
my $seen = $w->seen($client->send_request('GET', '/', host => 'on.example.com')->read_response);
unlike $seen->header('X-Dn'), qr/[\x00-\x1f\x7f]/, 'controls in a name are escaped: ' . $seen->header('X-Dn');
is $seen->header('X-Verify'), 'SUCCESS', 'it is told as verified';
$client->close;

my $requests = $origin->requests;
is status(on => $_), 400, 'refused' for values %bad;
is $origin->requests, $requests, 'of what is refused nothing goes upstream';

done_testing;
