# Weir::TlsPeer - TLS on a connection that a scripted peer accepted: in the handler of $w->peer, before anything is read.
#
#     my $peer = $w->peer(sub ($c) { Weir::TlsPeer::secure($c, cert => $site) or return; $c->reply(200, 'ok') while $c->read_request });
#
# Of %arg: cert => Weir::Pki · version => 'TLSv1_2' (IO::Socket::SSL's words) · ciphers · ca => Weir::Pki: a client's certificate is asked for
# and needed · alpn => [ … ] · resumes => 0: no tickets.  false: the handshake failed, which is noted as "handshake: why".
package Weir::TlsPeer;
use v5.36;

use IO::Socket::SSL;

sub secure ($c, %arg) {
    my $fh = $c->{fh};
    $fh->blocking(1);
    my $name = '';
    my $tls = IO::Socket::SSL->start_SSL($fh, SSL_server => 1, SSL_cert_file => $arg{cert}->file, SSL_key_file => $arg{cert}->key_file,
        SSL_version => $arg{version} // 'SSLv23:!SSLv3:!SSLv2', Timeout => 10,
        ($arg{ciphers} ? (SSL_cipher_list => $arg{ciphers}) : ()),
        ($arg{alpn} ? (SSL_alpn_protocols => $arg{alpn}) : ()),
        ($arg{ca} ? (SSL_ca_file => $arg{ca}->file, SSL_verify_mode => SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT) : (SSL_verify_mode => SSL_VERIFY_NONE)),
        SSL_session_id_context => 'peer', ($arg{context} ? (SSL_reuse_ctx => $arg{context}) : ()));
    if (!$tls) {
        $c->note("handshake: $SSL_ERROR");
        return;
    }
    $c->note('name ' . ($tls->get_servername // 'none'));
    $c->note('version ' . $tls->get_sslversion);
    $c->note('cipher ' . $tls->get_cipher);
    $c->note('resumed') if Net::SSLeay::session_reused($tls->_get_ssl_object);
    $c->note('client ' . $tls->peer_certificate('cn')) if $arg{ca};
    $tls->blocking(0);
    $c->{fh} = $tls;
    return $c;
}

# The connection goes without close_notify.
sub cut ($c) { (delete $c->{fh})->close(SSL_no_shutdown => 1); $c->{eof} = 1 }

1;
