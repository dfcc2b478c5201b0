# Weir::TlsClient - a scripted TLS client: the handshake it is told to make, then Weir::Client over it; and records by hand for what no
# library would send.
#
# Made by $w->tls(%arg).  OpenSSL works on buffers in memory and every byte passes through here, so that handshakes can be cut, dribbled
# and replayed. Of %arg: name (SNI), alpn => [ 'h2' ], version => 'TLSv1.2', ciphers, suites, groups, sigalgs (OpenSSL's lists), cert
# (Weir::Pki), session (of an earlier one), status => 1 (asks for a staple), ca => Weir::Pki (verifies), seclevel => 0, dribble => 1 (a
# segment a byte), handshake => 0 (later, by ->handshake), port, rcvbuf.  ->{record}: bytes a record holds at most.
package Weir::TlsClient;
use v5.36;
use parent 'Weir::Client';

use Net::SSLeay;
use Time::HiRes qw(time sleep);

Net::SSLeay::initialize();

my %versions = ('TLSv1' => 0x0301, 'TLSv1.1' => 0x0302, 'TLSv1.2' => 0x0303, 'TLSv1.3' => 0x0304);

sub open ($class, %arg) {
    my $self = $class->SUPER::open(%arg{ grep { exists $arg{$_} } qw(host port unix rcvbuf deadline) });
    $self->secure(%arg);
    $self->handshake unless defined $arg{handshake} && !$arg{handshake};
    return $self;
}

# OpenSSL's queue of errors as one text, emptied.
sub _why () {
    my @all;
    while (my $code = Net::SSLeay::ERR_get_error()) { push @all, Net::SSLeay::ERR_error_string($code) =~ s/^error:\w+:[^:]*:[^:]*://r }
    return join '; ', @all;
}

sub _must ($done, $what) { $done or die "tls: $what: " . _why() . "\n" }

sub _context (%arg) {
    my $ctx = Net::SSLeay::CTX_new_with_method(Net::SSLeay::TLS_client_method()) or _must(0, 'context');
    my ($low, $high) = $arg{version} ? split(/-/, $arg{version}) : ();
    $low = $versions{$low}                      if defined $low;
    $high = defined $high ? $versions{$high} : $low;
    Net::SSLeay::CTX_set_min_proto_version($ctx, $low // 0);
    Net::SSLeay::CTX_set_max_proto_version($ctx, $high // 0);
    my $level = exists $arg{seclevel} ? $arg{seclevel} : defined $low && $low < 0x0303 ? 0 : undef;
    Net::SSLeay::CTX_set_security_level($ctx, $level) if defined $level;
    Net::SSLeay::CTX_set_options($ctx, Net::SSLeay::OP_NO_TICKET()) if $arg{no_ticket};
    _must(Net::SSLeay::CTX_set_cipher_list($ctx, $arg{ciphers}), 'ciphers')  if $arg{ciphers};
    _must(Net::SSLeay::CTX_set_ciphersuites($ctx, $arg{suites}), 'suites')   if $arg{suites};
    _must(Net::SSLeay::CTX_set1_groups_list($ctx, $arg{groups}), 'groups')   if $arg{groups};
    _must(Net::SSLeay::CTX_set1_sigalgs_list($ctx, $arg{sigalgs}), 'sigalgs') if $arg{sigalgs};
    if (my $cert = $arg{cert}) {
        _must(Net::SSLeay::CTX_use_certificate_chain_file($ctx, $cert->file), 'certificate');
        _must(Net::SSLeay::CTX_use_PrivateKey_file($ctx, $cert->key_file, Net::SSLeay::FILETYPE_PEM()), 'key');
    }
    if ($arg{ca}) {
        _must(Net::SSLeay::CTX_load_verify_locations($ctx, $arg{ca}->file, ''), 'authorities');
        Net::SSLeay::CTX_set_verify($ctx, Net::SSLeay::VERIFY_PEER(), undef);
    }
    return $ctx;
}

# A plain connection becomes TLS; the handshake is not begun.
sub secure ($self, %arg) {
    my $ctx = _context(%arg);
    my $ssl = $self->{ssl} = Net::SSLeay::new($ctx) or _must(0, 'connection');
    @$self{qw(ctx dribble truncated)} = ($ctx, $arg{dribble}, 0);
    @$self{qw(rbio wbio)} = map { Net::SSLeay::BIO_new(Net::SSLeay::BIO_s_mem()) } 1, 2;
    Net::SSLeay::set_bio($ssl, $self->{rbio}, $self->{wbio});
    Net::SSLeay::set_tlsext_host_name($ssl, $arg{name}) if defined $arg{name};
    Net::SSLeay::set_alpn_protos($ssl, $arg{alpn})      if $arg{alpn};
    Net::SSLeay::set_session($ssl, $arg{session})       if $arg{session};
    if ($arg{status}) {
        Net::SSLeay::set_tlsext_status_type($ssl, Net::SSLeay::TLSEXT_STATUSTYPE_ocsp());
        Net::SSLeay::CTX_set_tlsext_status_cb($ctx, sub ($ssl, $answer, $data = undef) { $self->{staple} = $answer; 1 });
    }
    Net::SSLeay::set_connect_state($ssl);
    return $self;
}

# -- ciphertext --

# What OpenSSL wants sent.
sub _outgoing ($self) {
    my $all = '';
    while (Net::SSLeay::BIO_pending($self->{wbio}) > 0) { $all .= Net::SSLeay::BIO_read($self->{wbio}, 65536) // last }
    return $all;
}

sub _push ($self) {
    my $bytes = $self->_outgoing;
    return 1 if $bytes eq '';
    $self->{flights} .= $bytes if defined $self->{flights};
    return $self->Weir::Wire::write($bytes) unless $self->{dribble};
    for my $byte (split //, $bytes) {
        $self->Weir::Wire::write($byte) or return 0;
        sleep 0.0002;
    }
    return 1;
}

# More of it off the socket; false at its end.
sub _pull ($self, $until) {
    my $bytes = $self->_receive($until);
    return 0 unless defined $bytes;
    Net::SSLeay::BIO_write($self->{rbio}, $bytes);
    return 1;
}

# -- the handshake --

# One step; true when it is done.
sub _shake ($self) {
    Net::SSLeay::ERR_clear_error();
    my $rc   = Net::SSLeay::do_handshake($self->{ssl});
    my $what = $rc == 1 ? 0 : Net::SSLeay::get_error($self->{ssl}, $rc);
    my $why  = $rc == 1 || $what == 2 ? '' : _why();
    $self->_push;
    die 'handshake: ' . ($why || 'failed') . "\n" if $rc != 1 && $what != 2;
    return $rc == 1;
}

# The first flight goes out and no more happens.
sub begin ($self) {
    $self->_shake;
    return $self;
}

sub handshake ($self) {
    my $until = time + $self->{deadline};
    until ($self->_shake) {
        $self->_pull($until) or die 'handshake: ' . ($self->was_reset ? 'reset' : 'the connection was closed') . "\n";
    }
    return $self;
}

# Asks for another one on the same connection (TLS 1.2): true when the server makes it.
sub renegotiate ($self) {
    Net::SSLeay::renegotiate($self->{ssl});
    my $done = eval { $self->_shake; $self->_pull(time + $self->{deadline}) or return 0; $self->_shake };
    return $done ? 1 : 0;
}

# -- the stream --

sub fill ($self, $until = time + $self->{deadline}) {
    return $self->SUPER::fill($until) unless $self->{ssl};
    return 0 if $self->{eof};
    while (1) {
        Net::SSLeay::ERR_clear_error();
        my ($bytes, $rc) = Net::SSLeay::read($self->{ssl}, 65536);
        my $what = $rc > 0 ? 0 : Net::SSLeay::get_error($self->{ssl}, $rc);
        $self->{alert} = _why() if $rc <= 0 && $what == 1;
        $self->_push;
        if ($rc > 0) {
            $self->{in} .= $bytes;
            return 1;
        }
        last if $what != 2;
        if (!$self->_pull($until)) {
            $self->{truncated} = 1;
            last;
        }
    }
    $self->{eof} = 1;
    return 0;
}

sub write ($self, $bytes) {
    return $self->SUPER::write($bytes) unless $self->{ssl};
    for (my $at = 0; $at < length $bytes;) {
        my $n = Net::SSLeay::write($self->{ssl}, substr $bytes, $at, $self->{record} // 16384);
        return 0 unless defined $n && $n > 0 && $self->_push;
        $at += $n;
    }
    return 1;
}

sub is_quiet ($self, $seconds = 0.05) {
    return 0 if length $self->{in} || $self->{eof};
    my $got = eval { $self->fill(time + $seconds) };
    return !$got && $@ =~ /^deadline/ ? 1 : 0;
}

# -- the end --

# close_notify, and nothing more will be sent.
sub half_close ($self) {
    Net::SSLeay::shutdown($self->{ssl});
    $self->_push;
    $self->SUPER::half_close;
}

# Nothing more is sent, and no close_notify says so.
sub cut ($self) { $self->Weir::Wire::half_close }

sub close ($self) {
    if (my $ssl = delete $self->{ssl}) {
        if ($self->{fh} && !$self->{reset}) {
            Net::SSLeay::shutdown($ssl);
            my $bytes = $self->_outgoing;
            $self->Weir::Wire::write($bytes) if length $bytes;
        }
        Net::SSLeay::CTX_set_tlsext_status_cb($self->{ctx}, undef);
        Net::SSLeay::free($ssl);
        Net::SSLeay::CTX_free(delete $self->{ctx});
    }
    $self->SUPER::close;
}

# Did the end of what came say that it was the end?
sub said_goodbye ($self) { $self->{eof} && !$self->{truncated} && Net::SSLeay::get_shutdown($self->{ssl}) & 2 ? 1 : 0 }

# -- what was agreed on --

sub version ($self)      { Net::SSLeay::get_version($self->{ssl}) }
sub cipher ($self)       { Net::SSLeay::get_cipher($self->{ssl}) }
sub alpn ($self)         { Net::SSLeay::P_alpn_selected($self->{ssl}) // '' }
sub was_resumed ($self)  { Net::SSLeay::session_reused($self->{ssl}) ? 1 : 0 }
sub alert ($self)        { $self->{alert} // '' }
sub staple ($self)       { $self->{staple} }       # an OCSP answer as Net::SSLeay has it; undef: none came
sub fh_of ($self)        { $self->{fh} }

# For another's `session`: in TLS 1.3 there is one after the first answer was read.
sub session ($self) { Net::SSLeay::get1_session($self->{ssl}) }
sub session_bytes ($self) { Net::SSLeay::i2d_SSL_SESSION($self->session) }

# The server's certificate: the subject's common name, and its digest.
sub peer ($self) {
    my $cert = Net::SSLeay::get_peer_certificate($self->{ssl}) or return '';
    my $name = Net::SSLeay::X509_NAME_get_text_by_NID(Net::SSLeay::X509_get_subject_name($cert), Net::SSLeay::NID_commonName());
    Net::SSLeay::X509_free($cert);
    return $name =~ s/\0//gr;
}

sub peer_key ($self) {
    my $cert = Net::SSLeay::get_peer_certificate($self->{ssl}) or return '';
    my $type = Net::SSLeay::OBJ_nid2sn(Net::SSLeay::P_X509_get_pubkey_alg($cert) ? Net::SSLeay::OBJ_obj2nid(
        Net::SSLeay::P_X509_get_pubkey_alg($cert)) : 0);
    Net::SSLeay::X509_free($cert);
    return $type;
}

# Names of the authorities that the server asks for certificates of.
sub wanted_authorities ($self) {
    my $list = Net::SSLeay::get_client_CA_list($self->{ssl}) or return;
    return map { Net::SSLeay::X509_NAME_oneline(Net::SSLeay::sk_X509_NAME_value($list, $_)) }
        0 .. Net::SSLeay::sk_X509_NAME_num($list) - 1;
}

# -- records by hand, on a plain Weir::Client --

sub record ($type, $bytes, $version = 0x0301) { pack 'Cnn/a', $type, $version, $bytes }
sub message ($type, $bytes) { pack('C', $type) . substr(pack('N', length $bytes), 1) . $bytes }
sub extension ($type, $bytes) { pack 'n n/a', $type, $bytes }

# The bytes of server_name for these names.
sub sni (@names) { pack 'n/a', join '', map { pack 'C n/a', 0, $_ } @names }

# A ClientHello as a handshake message.  version, random, session, ciphers => [ numbers ], compressions => bytes, extensions => bytes
# (those of a willing TLS 1.2 client unless said); more => bytes behind them
sub hello (%arg) {
    my $extensions = $arg{extensions} // willing();
    $extensions .= $arg{more} // '';
    return message(1, pack('n a32 C/a n/a C/a', $arg{version} // 0x0303, $arg{random} // 'r' x 32, $arg{session} // '',
            pack('n*', ($arg{ciphers} // [ 0xc02b, 0xc02f, 0xc02c, 0xc030, 0x009c ])->@*), $arg{compressions} // "\0")
        . pack('n/a', $extensions));
}

# Groups, point formats, signature algorithms: what a TLS 1.2 client needs to say.
sub willing () {
    return extension(10, pack 'n/a', pack 'n*', 29, 23, 24) . extension(11, "\x01\x00")
        . extension(13, pack 'n/a', pack 'n*', 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501);
}

# One record of a plain connection: (type, bytes); () at the end.
sub read_record ($client) {
    my $head = eval { $client->take(5) } // return;
    my ($type, undef, $length) = unpack 'Cnn', $head;
    return ($type, $client->take($length));
}

# The whole of a TLS 1.2 server's first flight as bytes, its certificate in the clear; or "alert n", or "closed".
sub first_flight ($client) {
    my $all = '';
    while (my ($type, $bytes) = read_record($client)) {
        return 'alert ' . unpack 'xC', $bytes if $type == 21;
        $all .= $bytes;
        return $all if $all =~ /\x0e\x00\x00\x00\z/;
    }
    return 'closed';
}

# Until an alert comes, or the end: its description's number, or 'closed', or 'hello' when the server answered with a handshake.
sub verdict ($client) {
    while (my ($type, $bytes) = read_record($client)) {
        return unpack 'xC', $bytes if $type == 21 && length $bytes == 2;
        return 'hello' if $type == 22;
    }
    return 'closed';
}

1;
