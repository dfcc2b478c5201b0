use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;
use Weir::TlsPeer;

my $w     = Weir::Test->new('TLS to peers is as its directives say');
my $root  = Weir::Pki->authority($w, 'root');
my $site  = $root->server('peer.example.com', key => 'rsa');
my $alice = $root->client('alice');
my $peer  = sub (%arg) { $w->peer(sub ($c) { Weir::TlsPeer::secure($c, cert => $site, %arg) or return; while (my $r = $c->read_request) { $c->reply(200, 'ok') } }) };
my %peer  = (plain => $peer->(), twelve => $peer->(version => 'TLSv1_2'), eleven => $peer->(version => 'TLSv1_1', ciphers => 'ALL:@SECLEVEL=0'),
    asks => $peer->(ca => $root), rsa => $peer->(version => 'TLSv1_2', ciphers => 'AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256'));
my $cert = "proxy_ssl_certificate $alice; proxy_ssl_certificate_key @{[ $alice->key_file ]};";
$w->write_file('password', "wrong\nsecret\n");
my %places = (
    none     => [ 'plain', '' ],
    sni      => [ 'plain', 'proxy_ssl_server_name on; proxy_ssl_name peer.example.com;' ],
    variable => [ 'plain', 'proxy_ssl_server_name on; proxy_ssl_name $arg_name;' ],
    address  => [ 'plain', 'proxy_ssl_server_name on;' ],
    twelve   => [ 'plain', 'proxy_ssl_protocols TLSv1.2;' ],
    old      => [ 'eleven', '' ],
    only13   => [ 'twelve', 'proxy_ssl_protocols TLSv1.3;' ],
    asked    => [ 'asks', $cert ],
    unasked  => [ 'plain', $cert ],
    without  => [ 'asks', '' ],
    taken    => [ 'asks', 'proxy_ssl_certificate ""; proxy_ssl_certificate_key "";', $cert ],
    locked   => [ 'asks', "proxy_ssl_certificate $alice; proxy_ssl_certificate_key @{[ $alice->encrypted_key('secret') ]}; proxy_ssl_password_file @{[ $w->dir ]}/password;" ],
    ciphers  => [ 'rsa', 'proxy_ssl_ciphers AES256-GCM-SHA384;' ],
    command  => [ 'rsa', 'proxy_ssl_protocols TLSv1.2; proxy_ssl_conf_command CipherString ECDHE-RSA-AES128-GCM-SHA256;' ],
);
my $locations = join "\n", map { my ($p, $how) = $places{$_}->@*; "location /$_ { proxy_pass https://$peer{$p}; $how }" } sort keys %places;
$locations .= qq{ location /holder { $cert location /holder/kept { proxy_pass https://$peer{asks}; }
    location /holder/taken { proxy_pass https://$peer{asks}; proxy_ssl_certificate ""; proxy_ssl_certificate_key ""; } }
    location /file { proxy_pass https://$peer{asks}; proxy_ssl_conf_command Certificate alice.pem; proxy_ssl_conf_command PrivateKey alice.key; } };
$places{$_} = ['asks'] for qw(holder/kept holder/taken file);
symlink $alice, $w->dir . '/conf/alice.pem' or die $!;
symlink $alice->key_file, $w->dir . '/conf/alice.key' or die $!;
$w->conf("server { $locations }", workers => 1);
my $ask = sub ($place) {
    my $peer   = $peer{ $places{$place}[0] };
    my $before = () = $peer->notes;
    my $status = $w->get("/$place?name=by.variable.example.com")->status;
    my @notes  = $peer->notes;
    return ($status, join "\n", @notes[ $before .. $#notes ]);
};
my $check = sub ($place, $want, $seen, $what) {
    my ($status, $notes) = $ask->($place);
    is $status, $want, "$place: $what";
    like $notes, $seen, "$place: as the peer sees it" if $seen;
};
$check->('none', 200, qr/^name none$/m, 'no name is sent');
$check->('sni', 200, qr/^name peer\.example\.com$/m, 'the name is sent when told');
$check->('variable', 200, qr/^name by\.variable\.example\.com$/m, 'a name may have variables');
$check->('address', 200, qr/^name none$/m, 'an address is no name');
$check->('none', 200, qr/^version TLSv1_3$/m, 'TLS 1.3 by itself');
$check->('twelve', 200, qr/^version TLSv1_2$/m, '1.2 when told');
$check->('old', 502, undef, '1.1 never by itself');
$check->('only13', 502, undef, 'no version in common');
$check->('asked', 200, qr/^client alice$/m, "a certificate of Weir's own");
$check->('unasked', 200, undef, 'is shown only when asked for');
$check->('without', 502, undef, 'and missed where it is needed');
$check->('holder/kept', 200, qr/^client alice$/m, 'what an outer block says holds');
$check->('holder/taken', 502, undef, 'until an empty name takes it back');
$check->('file', 200, qr/^client alice$/m, 'files of ssl_conf_command are found beside the configuration');
$check->('locked', 200, qr/^client alice$/m, 'its key may be encrypted');
$check->('ciphers', 200, qr/^cipher AES256-GCM-SHA384$/m, 'ciphers are those allowed');
$check->('command', 200, qr/^cipher ECDHE-RSA-AES128-GCM-SHA256$/m, "commands are OpenSSL's");

done_testing;
