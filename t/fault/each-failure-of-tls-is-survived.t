use v5.36;
use lib 't/lib';
use Weir::Fault;
use Weir::Pki;
use Weir::Test;
use Weir::TlsPeer;

my $w      = Weir::Fault->test('each failure of TLS is survived');
my $fault  = $w->{fault};
my $root   = Weir::Pki->authority($w, 'root');
my $site   = $root->server('localhost');
my $body   = join '', map { "line $_\n" } 1 .. 3000;
$w->allow_bad;
my $peer   = $w->peer(sub ($c) { Weir::TlsPeer::secure($c, cert => $site) or return; while (my $r = $c->read_request) { $c->reply(200, $body) } });
my $origin = $w->origin(sub ($c) { $c->reply(200, $body) });
$w->conf(<<"CONF", workers => 1, control => 0);
server {
    listen 127.0.0.1:%%PORT%%;
    location /ordinary { return 200 "fine"; }
    location /peer { proxy_pass https://$peer; proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_trusted_certificate @{[ $root->file ]}; }
}
server {
    listen 127.0.0.1:%%PORT_tls%% ssl;
    @{[ $site->conf ]}
    ssl_session_cache shared:s:1m;
    location / { proxy_pass http://$origin; }
}
CONF

sub fetch ($open, $path) {
    my $client = eval { $open->() } // return Weir::Fault::judge_end($@ =~ /^handshake/ ? "eof: $@" : $@);
    my $word   = eval {
        my $answer = $client->get($path);
        $answer->status == 200 && $answer->body ne $body and die "another body came\n";
        $answer->status == 200 ? 'right' : 'refused';
    } // Weir::Fault::judge_end($@);
    eval { $client->close };
    return $word;
}

sub over_tls ($n, $version = 'TLSv1.3') { fetch(sub { $w->tls(port => 'tls', name => 'localhost', version => $version) }, "/$n") }
sub to_peer ($n) { fetch(sub { $w->client }, "/peer/$n") }

is over_tls('warm', $_), 'right', "it works: $_" for 'TLSv1.3', 'TLSv1.2';
is to_peer('warm'), 'right', 'to a peer';
$fault->baseline;
$fault->sweep('a request over TLS 1.3', flow => sub ($n) { over_tls($n) });
$fault->sweep('a request over TLS 1.2', flow => sub ($n) { over_tls($n, 'TLSv1.2') });
$fault->sweep('a request to a peer over TLS', flow => \&to_peer);

done_testing;
