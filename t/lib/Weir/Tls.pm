# Weir::Tls - a scripted TLS client, on the wire of Weir::Client; a failed handshake is an exception that says why.
#
#     my $c = Weir::Tls::client($w, sni => 'a.example', alpn => ['h2'], version => 'TLSv1_2', cert => $alice, session => $before);
#     $c->get('/');  $c->tls->get_cipher;  my $session = $c->session;
package Weir::Tls;
use v5.36;
use parent 'Weir::Client';

use IO::Socket::IP;
use IO::Socket::SSL;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

# port (or its name), sni ('' for none), alpn, version, ciphers, curves, cert (a Weir::Cert), ca (a Weir::Cert: the server is verified), session
sub client ($w, %arg) {
    $w->start;
    my $port = $arg{port} // '';
    $port = $w->port($port) unless $port =~ /^\d{4,}$/;
    my $fh = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port) or die "connect: $@\n";
    setsockopt $fh, IPPROTO_TCP, TCP_NODELAY, 1;
    my $self = upgrade($fh, %arg);
    push $w->{clients}->@*, $self;
    return $self;
}

sub upgrade ($fh, %arg) {
    my %ctx = (
        SSL_verify_mode => $arg{ca} ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
        ($arg{ca} ? (SSL_ca_file => $arg{ca}{cert}) : (SSL_ca_file => undef, SSL_ca_path => undef)),
        SSL_verifycn_scheme => 'none', SSL_version => $arg{version} // 'SSLv23:!SSLv3:!SSLv2',
        ($arg{ciphers} ? (SSL_cipher_list => $arg{ciphers}) : ()),
        ($arg{curves} ? (SSL_ecdh_curve => $arg{curves}) : ()),
        ($arg{cert} ? (SSL_cert_file => $arg{cert}{cert}, SSL_key_file => $arg{cert}{key}) : ()),
        ($arg{alpn} ? (SSL_alpn_protocols => $arg{alpn}) : ()),
    );
    my $ctx = IO::Socket::SSL::SSL_Context->new(%ctx) or die "context: $SSL_ERROR\n";
    my @sessions;
    Net::SSLeay::CTX_set_session_cache_mode($ctx->{context}, 1 | 0x100);
    Net::SSLeay::CTX_sess_set_new_cb($ctx->{context}, sub ($ssl, $session) { push @sessions, $session; 1 });
    my $tls = IO::Socket::SSL->start_SSL($fh, SSL_reuse_ctx => $ctx, SSL_hostname => $arg{sni} // 'localhost', Timeout => 10,
        SSL_startHandshake => 0) or die "tls: $SSL_ERROR\n";
    _connect($tls, $arg{session});
    my $self = __PACKAGE__->new($tls);
    $self->{sessions} = \@sessions;
    $self->{ctx}      = $ctx;
    return $self;
}

# connect_SSL makes its SSL object; a session is put into it before its first byte leaves.
sub _connect ($tls, $session) {
    no warnings 'redefine';
    my $connect = \&Net::SSLeay::connect;
    local *Net::SSLeay::connect = !$session ? $connect : do {
        my $done;
        sub ($ssl) {
            Net::SSLeay::set_session($ssl, Net::SSLeay::d2i_SSL_SESSION($session)) or die "tls: the session cannot be used\n" unless $done++;
            $connect->($ssl);
        };
    };
    $tls->connect_SSL or die 'tls: ' . ($SSL_ERROR // $!) . "\n";
}

# Why a handshake fails; '' when it does not.
sub refusal ($w, %arg) {
    my $c = eval { client($w, %arg) };
    return $@ unless $c;
    $c->close;
    return '';
}

sub tls ($self) { $self->{fh} }
sub ssl ($self) { $self->{fh}->_get_ssl_object }

# Fills, unless an alert or anything else of TLS ends it.
sub fill ($self, $until = time + $self->{deadline}) {
    my $more = eval { $self->SUPER::fill($until) };
    return $more unless $@;
    die $@ if $@ =~ /^(?:deadline|eof)/;
    $self->{tls_error} = "$SSL_ERROR";
    $self->{eof} = 1;
    return 0;
}

# The session to resume next time: those of TLS 1.3 come after the handshake, with the first answer.
# Its bytes: OpenSSL marks a session of TLS 1.3 as used up.
sub session ($self) { Net::SSLeay::i2d_SSL_SESSION($self->{sessions}[-1] // Net::SSLeay::get1_session($self->ssl)) }
sub was_resumed ($self) { Net::SSLeay::session_reused($self->ssl) ? 1 : 0 }
# Did the server say close_notify?
sub said_goodbye ($self) { (Net::SSLeay::get_shutdown($self->ssl) & 2) ? 1 : 0 }

1;
