use v5.36;
use lib 't/lib';
use IO::Socket::SSL;
use Weir::Pki;
use Weir::Test;
use Weir::TlsPeer;

my $w    = Weir::Test->new('TLS sessions with peers are resumed');
my $site = Weir::Pki->authority($w, 'root')->server('peer.example.com');
for my $version (qw(TLSv1_2 TLSv1_3)) {
    # One context for all its connections, so that its tickets are good in each of their processes.
    my $context = IO::Socket::SSL::SSL_Context->new(SSL_server => 1, SSL_cert_file => $site->file, SSL_key_file => $site->key_file, SSL_version => $version,
        SSL_verify_mode => SSL_VERIFY_NONE, SSL_session_id_context => 'peer') or die $SSL_ERROR;
    my $peer = $w->peer(sub ($c) { Weir::TlsPeer::secure($c, cert => $site, context => $context) or return; while (my $r = $c->read_request) { $c->reply(200, 'ok') } });
    my $own = Weir::Test->new("TLS sessions with peers are resumed, $version");
    $own->conf("server { location / { proxy_pass https://$peer; } location /not { proxy_pass https://$peer; proxy_ssl_session_reuse off; } }", workers => 1);
    is $own->get('/')->status, 200, "$version: the first" ;
    is scalar(grep { $_ eq 'resumed' } $peer->notes), 0, 'is a full handshake';
    is $own->get('/')->status, 200, "$version: request $_" for 2 .. 5;
    is scalar(grep { $_ eq 'resumed' } $peer->notes), 4, 'the others resume it';
    is $own->get('/not')->status, 200, "$version: where it is off" for 1 .. 3;
    is scalar(grep { $_ eq 'resumed' } $peer->notes), 4, 'none does';
    is $peer->connections, 8, 'each on a connection of its own';
}

done_testing;
