# ssl_ocsp on: each certificate of the client's chain at the responder that it names; leaf: the first alone.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;

my $w    = Weir::Test->new('each certificate of a clients chain is checked at its own responder');
my $root = Weir::Pki->authority($w, 'root');
my $site = $root->server('localhost');
my $high = $w->origin($root->ocsp_responder);
my %mid  = map { $_ => $root->authority($_, ocsp => "http://$high/") } qw(good revoked);
my %low  = map { $_ => $w->origin($mid{$_}->ocsp_responder) } keys %mid;
my %cert = map { $_ => $mid{$_}->client("of $_", ocsp => "http://$low{$_}/") } keys %mid;
$cert{bad}  = $mid{good}->client('bad', ocsp => "http://$low{good}/");
$cert{mute} = $mid{good}->client('mute');
$mid{good}->revoke($cert{bad});
$root->revoke($mid{revoked});
my $verify = "@{[ $site->conf ]} ssl_verify_client on; ssl_verify_depth 2; ssl_client_certificate @{[ $root->file ]};";
$w->conf("server { listen 127.0.0.1:%%PORT_chain%% ssl; $verify ssl_ocsp on; location / { return 200 \"\$ssl_client_verify\"; } }
    server { listen 127.0.0.1:%%PORT_leaf%% ssl; $verify ssl_ocsp leaf; location / { return 200 \"\$ssl_client_verify\"; } }", workers => 1);

my $ask = sub ($port, $cert) {
    my $answer = eval { my $c = $w->tls(port => $port, name => 'localhost', cert => $cert{$cert}, version => 'TLSv1.3'); my $r = $c->get('/'); $c->close; $r };
    return $answer ? $answer->status . ($answer->status == 200 ? ' ' . $answer->body : '') : 'refused';
};
is $ask->('chain', 'good'), '200 SUCCESS', 'all are good';
is_deeply [ $low{good}->requests, $high->requests ], [ 1, 1 ], 'both responders were asked';
is $ask->('leaf', 'good'), '200 SUCCESS', 'leaf';
is_deeply [ $low{good}->requests, $high->requests ], [ 2, 1 ], 'one was asked';
is $ask->('chain', 'revoked'), '400', 'the one between is revoked';
is $ask->('leaf', 'revoked'), '200 SUCCESS', 'of which leaf does not ask';
is $ask->($_, 'bad'), '400', "$_: the client's own is revoked" for qw(chain leaf);
is $ask->($_, 'mute'), '400', "$_: one that names no responder" for qw(chain leaf);

done_testing;
