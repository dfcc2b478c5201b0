# Weir::Cert - authorities, certificates, keys and revocation lists for tests, in the test's own directory.
#
#     my $ca     = Weir::Cert->ca($w, 'root');
#     my $server = $ca->issue('www.example', names => ['www.example', '*.wild.example']);
#     my $client = $ca->issue('alice', for => 'client');
#     "ssl_certificate $server->{cert}; ssl_certificate_key $server->{key}; ssl_client_certificate $ca->{cert};"
#
# {cert}, {key}: files in PEM; the certificate's has its chain behind it.
package Weir::Cert;
use v5.36;

use IO::Socket::SSL::Utils;

my $serial = 1000;

sub ca ($class, $w, $name, %arg) { $class->_make($w->dir, $name, undef, CA => 1, purpose => 'keyCertSign,cRLSign', %arg) }

# names: for subjectAltName (default: the name) · type: ec (default), rsa · for: server (default), client · not_before, not_after: seconds
# from now · CA: 1 for an intermediate authority · password: the key's file is encrypted with it
sub issue ($self, $name, %arg) { ref($self)->_make($self->{dir}, $name, $self, %arg) }

sub _make ($class, $dir, $name, $issuer, %arg) {
    my $type = $arg{type} // 'ec';
    my $key  = $type eq 'rsa' ? KEY_create_rsa(2048) : KEY_create_ec('prime256v1');
    my $is_ca = $arg{CA} // 0;
    my @names = $is_ca ? () : ($arg{names} // [$name])->@*;
    my ($cert) = CERT_create(
        key => $key, subject => { commonName => $name, organizationName => $arg{organization} // 'Weir tests' }, serial => ++$serial,
        not_before => time + ($arg{not_before} // -3600), not_after => time + ($arg{not_after} // 86400), digest => 'sha256',
        ($is_ca ? (CA => 1, purpose => 'keyCertSign,cRLSign') : (purpose => $arg{purpose} // ($arg{for} // 'server'))),
        ($issuer ? (issuer => [ $issuer->{x509}, $issuer->{pkey} ]) : ()),
        (@names ? (subjectAltNames => [ map { [ /^[0-9.]+$|:/ ? 'IP' : 'DNS', $_ ] } @names ]) : ()),
        ($arg{ocsp} ? (ext => [ { sn => 'authorityInfoAccess', data => "OCSP;URI:$arg{ocsp}" } ]) : ()),
    );
    my $self = bless { dir => $dir, name => $name, x509 => $cert, pkey => $key, serial => $serial, issuer => $issuer }, $class;
    my $file = "$dir/" . ($name =~ s/[^a-zA-Z0-9.-]/_/gr) . "-$serial";
    $self->{cert} = _write("$file.crt", $self->chain);
    $self->{key}  = _write("$file.key", PEM_key2string($key));
    if (defined $arg{password}) {
        _openssl(qw(pkey -aes256 -passout), "pass:$arg{password}", '-in', $self->{key}, '-out', "$file.enc");
        $self->{key} = "$file.enc";
    }
    return $self;
}

# PEM: itself and the intermediate ones above it, the root not.
sub chain ($self) {
    my $text = PEM_cert2string($self->{x509});
    for (my $up = $self->{issuer}; $up && $up->{issuer}; $up = $up->{issuer}) { $text .= PEM_cert2string($up->{x509}) }
    return $text;
}

sub pem ($self) { PEM_cert2string($self->{x509}) }

# A list that revokes these; its file.
sub crl ($self, @revoked) {
    my $dir = "$self->{dir}/crl-" . ++$serial;
    mkdir $dir;
    _write("$dir/index.txt", join '', map { sprintf "R\t%s\t%s\t%04X\tunknown\t/CN=x\n", '350101000000Z', '250101000000Z', $_->{serial} } @revoked);
    _write("$dir/crlnumber", "01\n");
    _write("$dir/ca.cnf", "[ca]\ndefault_ca=d\n[d]\ndatabase=$dir/index.txt\ncrlnumber=$dir/crlnumber\ndefault_md=sha256\ndefault_crl_days=2\n");
    _openssl(qw(ca -gencrl -config), "$dir/ca.cnf", '-keyfile', $self->{key}, '-cert', $self->{cert}, '-out', "$dir/list.pem");
    return "$dir/list.pem";
}

# What `openssl ocsp` needs to answer for this authority: its index file.
sub index_file ($self, %status) {
    my $file = "$self->{dir}/index-" . ++$serial;
    my ($valid, $revoked) = @status{qw(valid revoked)};
    return _write($file, join('', (map { sprintf "V\t%s\t\t%04X\tunknown\t/CN=%s\n", '350101000000Z', $_->{serial}, $_->{name} } ($valid // [])->@*),
        (map { sprintf "R\t%s\t%s\t%04X\tunknown\t/CN=%s\n", '350101000000Z', '250101000000Z', $_->{serial}, $_->{name} } ($revoked // [])->@*)));
}

sub _write ($path, $text) {
    open my $out, '>:raw', $path or die "$path: $!\n";
    print $out $text;
    close $out or die "$path: $!\n";
    chmod 0644, $path;
    return $path;
}

sub _openssl (@arguments) {
    open my $null, '>', '/dev/null' or die;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>&', $null;
        open STDERR, '>&', $null;
        { no warnings 'exec'; exec 'openssl', @arguments }
        POSIX::_exit(127);
    }
    waitpid $pid, 0;
    die "openssl @arguments failed\n" if $?;
    return;
}

1;
