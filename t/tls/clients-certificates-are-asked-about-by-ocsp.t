# Ssl_ocsp: a responder is asked about each client's certificate; what it does not call good is refused, and so is what it does not
# answer. What it said is kept in ssl_ocsp_cache.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;

my $w    = Weir::Test->new("clients' certificates are asked about by OCSP");
my $root = Weir::Pki->authority($w, 'root');
my $site = $root->server('localhost');
my %cert = map { $_ => $root->client($_) } qw(good bad other);
$root->revoke($cert{bad});
my $good    = $w->origin($root->ocsp_responder);
my $garbage = $w->origin(sub ($c) { $c->reply(200, 'no answer at all', 'Content-Type', 'application/ocsp-response') });
my $error   = $w->origin(sub ($c) { $c->reply(500, 'broken') });
my $silent  = $w->peer(sub ($c) { $c->{deadline} = 100; eval { $c->take_all } });
my $dead    = $w->refused_peer;
my %responder = (good => $good, garbage => $garbage, error => $error, silent => $silent, dead => $dead);
my $verify  = "@{[ $site->conf ]} ssl_verify_client on; ssl_client_certificate @{[ $root->file ]};";
my $servers = join "\n", map { "server { listen 127.0.0.1:%%PORT_$_%% ssl; $verify ssl_ocsp on; ssl_ocsp_responder http://$responder{$_}/; client_header_timeout 2s;
    location / { return 200 \"\$ssl_client_verify\"; } }" } sort keys %responder;
$w->conf("log_format judged '\$server_port \$status \$weir_cause \$ssl_client_verify'; access_log logs/judged.log judged;
    ssl_ocsp_cache shared:ocsp:1m; $servers
    server { listen 127.0.0.1:%%PORT_off%% ssl; $verify location / { return 200 \"\$ssl_client_verify\"; } }", workers => 1);

my $ask = sub ($port, $cert) {
    my $answer = eval { my $c = $w->tls(port => $port, name => 'localhost', cert => $cert, version => 'TLSv1.3'); my $r = $c->get('/'); $c->close; $r };
    return $answer ? $answer->status . ($answer->status == 200 ? ' ' . $answer->body : '') : 'refused';
};
is $ask->('off', $cert{bad}), '200 SUCCESS', 'nobody is asked where it is off';
is $ask->('good', $cert{good}), '200 SUCCESS', 'a good one is let in';
my $asked = $good->requests;
is $asked, 1, 'when the responder was asked';
is $ask->('good', $cert{good}), '200 SUCCESS', 'again';
is $good->requests, $asked, 'without asking again';
is $ask->('good', $cert{bad}), '400', 'a revoked one is not';
for my $how (qw(garbage error dead)) {
    is $ask->($how, $cert{other}), '400', "nor is one when the responder is $how";
}
unlike $ask->('silent', $cert{other}), qr/200/, 'nor when it is silent';

done_testing;
