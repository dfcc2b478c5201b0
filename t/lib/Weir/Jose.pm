# Weir::Jose - keys and tokens for tests, made by the openssl program in the test's own directory.
#
#     my $key = Weir::Jose->key($w, 'RS256', kid => 'a');         # HS256, RS256, PS256, ES256, ES384, ES512, EdDSA …
#     $key->jwk                                                   # its public half (of HS: the secret), as a hash
#     Weir::Jose->set($key, $other)                               # a key set's text
#     $key->token({ sub => 'alice', exp => time + 60 })           # kid and alg in the header; more: header => { … }
#     Weir::Jose->signed($key, $header_text, $payload_text)       # of any texts
#     Weir::Jose->secret('x' x 32, kid => 'b')->encrypted($text)  # JWE: dir with A128CBC-HS256; encrypted($text, header => { … })
package Weir::Jose;
use v5.36;

use Digest::SHA qw(hmac_sha256 hmac_sha384 hmac_sha512);
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use Weir::Server;

my $json = JSON::PP->new->canonical;
my $n = 0;

sub _openssl (@arguments) {
    open my $out, '-|', 'openssl', @arguments or die "openssl: $!\n";
    binmode $out;
    my $said = do { local $/; <$out> };
    close $out or die "openssl @arguments failed\n";
    return $said;
}

sub key ($class, $w, $alg, %arg) {
    my $self = bless { alg => $alg, dir => $w->dir, %arg }, $class;
    if ($alg =~ /^HS/) {
        $self->{secret} = $arg{secret} // join '', map { chr int rand 256 } 1 .. 64;
        return $self;
    }
    my $file = $self->{file} = $w->dir . "/jose-$$-" . ++$n . '.key';
    my @how = $alg =~ /^[RP]S/ ? ('-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:' . ($arg{bits} // 2048))
        : $alg eq 'EdDSA' ? ('-algorithm', 'ED25519')
        : ('-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:' . { ES256 => 'P-256', ES384 => 'P-384', ES512 => 'P-521' }->{$alg});
    system("openssl genpkey @how -out $file 2>/dev/null") == 0 or die "no key of $alg\n";
    return $self;
}

sub secret ($class, $secret, %arg) { bless { alg => 'dir', secret => $secret, %arg }, $class }

sub jwk ($self) {
    my %common = ((defined $self->{kid} ? (kid => $self->{kid}) : ()), ($self->{silent} ? () : (alg => $self->{alg})), ($self->{more} // {})->%*);
    return { kty => 'oct', k => encode_base64url($self->{secret}), %common } if defined $self->{secret};
    my $der = _openssl('pkey', '-in', $self->{file}, '-pubout', '-outform', 'DER');
    return { kty => 'OKP', crv => 'Ed25519', x => encode_base64url(substr $der, -32), %common } if $self->{alg} eq 'EdDSA';
    if ($self->{alg} =~ /^[RP]S/) {
        my ($modulus) = _openssl('rsa', '-in', $self->{file}, '-noout', '-modulus') =~ /=([0-9A-F]+)/;
        return { kty => 'RSA', n => encode_base64url(pack 'H*', $modulus), e => 'AQAB', %common };
    }
    my $half = { ES256 => 32, ES384 => 48, ES512 => 66 }->{ $self->{alg} };
    my $point = substr $der, -2 * $half;
    return { kty => 'EC', crv => { 32 => 'P-256', 48 => 'P-384', 66 => 'P-521' }->{$half}, %common,
        x => encode_base64url(substr $point, 0, $half), y => encode_base64url(substr $point, $half) };
}

sub set ($class, @keys) { $json->encode({ keys => [ map { ref $_ eq 'HASH' ? $_ : $_->jwk } @keys ] }) }

sub _write ($path, $text) { open my $out, '>:raw', $path or die "$path: $!\n"; print $out $text; close $out; return $path }

# DER: SEQUENCE of two INTEGERs.
sub _raw ($der, $half) {
    my ($at, @numbers) = (ord(substr $der, 1, 1) & 0x80 ? 3 : 2);
    for (1 .. 2) {
        my $len = ord substr $der, $at + 1, 1;
        my $number = substr($der, $at + 2, $len) =~ s/^\0+//r;
        push @numbers, ("\0" x ($half - length $number)) . $number;
        $at += 2 + $len;
    }
    return join '', @numbers;
}

sub signature ($self, $text) {
    my $alg = $self->{alg};
    return { HS256 => \&hmac_sha256, HS384 => \&hmac_sha384, HS512 => \&hmac_sha512 }->{$alg}->($text, $self->{secret}) if $alg =~ /^HS/;
    my $in = _write("$self->{dir}/jose-$$-" . ++$n . '.text', $text);
    my $out = "$in.sig";
    my ($bits) = $alg =~ /(\d+)$/;
    if ($alg eq 'EdDSA') {
        _openssl('pkeyutl', '-sign', '-inkey', $self->{file}, '-rawin', '-in', $in, '-out', $out);
    } else {
        _openssl('dgst', "-sha$bits", ($alg =~ /^PS/ ? ('-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:-1') : ()), '-sign', $self->{file}, '-out', $out, $in);
    }
    my $signature = Weir::Server::slurp($out);
    unlink $in, $out;
    return $alg =~ /^ES/ ? _raw($signature, { 256 => 32, 384 => 48, 512 => 66 }->{$bits}) : $signature;
}

sub signed ($class, $key, $header, $payload) {
    my $text = encode_base64url($header) . '.' . encode_base64url($payload);
    return "$text." . encode_base64url($key->signature($text));
}

sub token ($self, $claims, %arg) {
    my %header = (alg => $self->{alg}, (defined $self->{kid} ? (kid => $self->{kid}) : ()), ($arg{header} // {})->%*);
    return ref($self)->signed($self, $json->encode(\%header), ref $claims ? $json->encode($claims) : $claims);
}

# RFC 7516 with dir and A128CBC-HS256: the secret has 32 bytes.
sub encrypted ($self, $text, %arg) {
    my %header = (alg => 'dir', enc => 'A128CBC-HS256', (defined $self->{kid} ? (kid => $self->{kid}) : ()), ($arg{header} // {})->%*);
    my $head = encode_base64url($json->encode(\%header));
    my ($mac, $key, $iv) = (substr($self->{secret}, 0, 16), substr($self->{secret}, 16), join '', map { chr int rand 256 } 1 .. 16);
    my $in = _write($self->{dir} . "/jose-$$-" . ++$n . '.text', $text);
    my $coded = _openssl('enc', '-aes-128-cbc', '-K', unpack('H*', $key), '-iv', unpack('H*', $iv), '-in', $in);
    my $tag = substr hmac_sha256($head . $iv . $coded . pack('Q>', 8 * length $head), $mac), 0, 16;
    unlink $in;
    return join '.', $head, '', map { encode_base64url($_) } $iv, $coded, $tag;
}

1;
