# Weir::Pki - certificates and all that belongs to them, made by the openssl program in the test's own directory.
#
#     my $root   = Weir::Pki->authority($w, 'root');             # self-signed; P-256 unless key => says otherwise
#     my $middle = $root->authority('middle');                   # an intermediate
#     my $site   = $root->server('example.com *.example.com', key => 'rsa');
#     my $alice  = $middle->client('alice', days => [ -10, -1 ]);    # valid from and until, in days from now
#     $w->conf("server { listen … ssl; " . $site->conf . ' ssl_client_certificate ' . $root->file . '; }');
#     $root->revoke($alice);  $root->crl;                         # a file with the list
#     $w->origin($root->ocsp_responder);                          # answers what the authority knows of its certificates
#
# Stands for the path of its PEM file, the chain behind it.
package Weir::Pki;
use v5.36;

use overload '""' => sub ($self, @) { $self->file }, '==' => sub ($x, $y, @) { "$x" eq "$y" }, fallback => 1;

use File::Path ();
use POSIX ();
use Weir::Server;

my %key_types = (
    ec      => [ '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256' ],
    p384    => [ '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384' ],
    rsa     => [ '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048' ],
    rsa8192 => [ '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:8192' ],
    ed25519 => [ '-algorithm', 'ED25519' ],
);

# -- running openssl --

sub openssl ($folder, @arguments) {
    my $log = "$folder/openssl.log.$$";
    system('/bin/sh', '-c', 'exec "$@" > "$0" 2>&1 < /dev/null', $log, 'openssl', @arguments) == 0
        or die "openssl @arguments:\n" . Weir::Server::slurp($log);
    return Weir::Server::slurp($log);
}

sub _write ($path, $text) {
    open my $out, '>:raw', $path or die "$path: $!\n";
    print $out $text;
    close $out or die "$path: $!\n";
    return $path;
}

# -- making --

my $made = 0;

sub _new ($folder, $name, %arg) {
    File::Path::make_path($folder);
    my $base = "$folder/" . ++$made . '-' . substr $name =~ s/[^\w.-]/_/gr, 0, 40;
    my $self = bless { name => $name, folder => $folder, base => $base }, __PACKAGE__;
    openssl($folder, 'genpkey', $key_types{ $arg{key} // 'ec' }->@*, '-out', "$base.key");
    chmod 0644, "$base.key";                         # for workers, when a name has variables
    return $self;
}

# The name as a subject that openssl reads: "/CN=name" unless it is one.
sub _subject ($name) { $name =~ m{^/} ? $name : '/CN=' . $name =~ s{([/+\\])}{\\$1}gr }

sub _time ($days) { POSIX::strftime('%Y%m%d%H%M%SZ', gmtime(time + int($days * 86400))) }

my $is_ca = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature\n";

# A root of its own: Weir::Pki->authority($w, $name, %arg); or one below another: $root->authority($name, %arg).
# days => [ from, until ], key => 'ec', 'p384', 'rsa', 'ed25519'
sub authority ($parent, @arg) {
    my $w    = ref $parent ? undef : shift @arg;
    my $name = shift @arg;
    my $self = $w ? _root($w, $name, @arg) : $parent->_issue($name, $is_ca, @arg);
    return $self->become_authority;
}

# It signs from now on, whether or not its certificate says that it may.
sub become_authority ($self) {
    my $dir  = "$self->{base}.ca";
    mkdir $dir;
    _write("$dir/index",     '');
    _write("$dir/serial",    "1000\n");
    _write("$dir/crlnumber", "01\n");
    _write("$dir/cnf",       <<"END");
[ca]
default_ca=ca_default
[ca_default]
database=$dir/index
serial=$dir/serial
crlnumber=$dir/crlnumber
new_certs_dir=$dir
certificate=@{[ $self->alone ]}
private_key=$self->{base}.key
default_md=sha256
default_crl_days=30
unique_subject=no
policy=anything
[anything]
countryName=optional
organizationName=optional
organizationalUnitName=optional
commonName=optional
emailAddress=optional
END
    return $self;
}

sub _root ($w, $name, %arg) {
    my $self = _new($w->dir . '/pki', $name, %arg);
    _write("$self->{base}.req.cnf",
        "[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n${is_ca}subjectKeyIdentifier=hash\n");
    openssl($self->{folder}, 'req', '-x509', '-new', '-config', "$self->{base}.req.cnf", '-key', "$self->{base}.key", '-subj',
        _subject($name), '-days', 3650, '-out', $self->alone);
    _write($self->file, Weir::Server::slurp($self->alone));
    return $self;
}

sub _issue ($self, $name, $extensions, %arg) {
    my $cert = _new($self->{folder}, $name, %arg);
    my ($from, $until) = ($arg{days} // [ -1, 365 ])->@*;
    $cert->{issuer} = $self;
    $extensions .= "authorityInfoAccess=OCSP;URI:$arg{ocsp}\n" if $arg{ocsp};
    $extensions .= "$arg{extensions}\n"                        if $arg{extensions};
    _write("$cert->{base}.req.cnf", "[req]\ndistinguished_name=dn\n[dn]\n");
    _write("$cert->{base}.ext", "${extensions}subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n");
    openssl($self->{folder}, 'req', '-new', '-config', "$cert->{base}.req.cnf", '-key', "$cert->{base}.key", '-subj',
        _subject($name), '-out', "$cert->{base}.csr");
    openssl($self->{folder}, 'ca', '-batch', '-config', "$self->{base}.ca/cnf", '-in', "$cert->{base}.csr", '-out', $cert->alone,
        '-notext', '-preserveDN', '-startdate', _time($from), '-enddate', _time($until), '-extfile', "$cert->{base}.ext");
    _write($cert->file, Weir::Server::slurp($cert->alone) . join '', map { Weir::Server::slurp($_->alone) } $cert->_between);
    return $cert;
}

# Those that stand between it and the root.
sub _between ($self) {
    my @all;
    for (my $up = $self->{issuer}; $up && $up->{issuer}; $up = $up->{issuer}) { push @all, $up }
    return @all;
}

# A server's for these DNS names (or addresses), the first in its subject.  key, days, usage => 'serverAuth', ocsp => url, san => text
sub server ($self, $names, %arg) {
    my @names = split ' ', $names;
    my $san   = $arg{san} // join ',', map { (/^[\d.]+$|:/ ? 'IP:' : 'DNS:') . $_ } @names;
    return $self->_issue($names[0], "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage="
        . ($arg{usage} // 'serverAuth') . "\n" . ($san eq '' ? '' : "subjectAltName=$san\n"), %arg);
}

# A client's.  key, days, usage => 'clientAuth' ('' for none), ocsp => url, extensions => text
sub client ($self, $name, %arg) {
    my $usage = $arg{usage} // 'clientAuth';
    return $self->_issue($name, "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
        . ($usage eq '' ? '' : "extendedKeyUsage=$usage\n"), %arg);
}

# -- what it is --

sub name ($self)     { $self->{name} }
sub file ($self)     { "$self->{base}.pem" }          # with its chain, without the root
sub alone ($self)    { "$self->{base}.alone.pem" }
sub key_file ($self) { "$self->{base}.key" }
sub pem ($self)      { Weir::Server::slurp($self->file) }
sub key_pem ($self)  { Weir::Server::slurp($self->key_file) }
sub conf ($self)     { "ssl_certificate $self; ssl_certificate_key " . $self->key_file . ';' }

# What `openssl x509` says of it: $cert->says('-serial'), without what is before "=".
sub says ($self, @options) {
    my $text = openssl($self->{folder}, 'x509', '-in', $self->alone, '-noout', @options);
    $text =~ s/\A[^=\n]*=\s?//;
    chomp $text;
    return $text;
}

# A file with its key encrypted.
sub encrypted_key ($self, $password) {
    my $file = "$self->{base}." . ++$made . '.encrypted.key';
    openssl($self->{folder}, 'pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-in', $self->key_file, '-out', $file, '-passout',
        "pass:$password");
    return $file;
}

# Copies of another's files over its own: what a renewal does.
sub replace_with ($self, $other) {
    _write($self->file,     $other->pem);
    _write($self->key_file, $other->key_pem);
    return $self;
}

# -- revocation --

sub revoke ($self, @certs) {
    for my $cert (@certs) {
        openssl($self->{folder}, 'ca', '-config', "$self->{base}.ca/cnf", '-revoke', $cert->alone);
    }
    return $self;
}

# A new file with the list as it is now; of other authorities too, when a chain needs them.
sub crl ($self, @others) {
    my $file = "$self->{base}." . ++$made . '.crl.pem';
    my $text = '';
    for my $ca ($self, @others) {
        openssl($self->{folder}, 'ca', '-config', "$ca->{base}.ca/cnf", '-gencrl', '-out', "$file.one");
        $text .= Weir::Server::slurp("$file.one");
    }
    return _write($file, $text);
}

# A list whose next one was due before now.
sub stale_crl ($self) {
    my $file = "$self->{base}." . ++$made . '.crl.pem';
    openssl($self->{folder}, 'ca', '-config', "$self->{base}.ca/cnf", '-gencrl', '-crl_lastupdate', _time(-2), '-crl_nextupdate',
        _time(-1), '-out', $file);
    return $file;
}

# -- OCSP --

# minutes => how long an answer holds; signer => who signs, this authority unless said
sub _ocsp ($self, $answer, %arg) {
    my $signer = $arg{signer} // $self;
    return ('ocsp', '-index', "$self->{base}.ca/index", '-CA', $self->alone, '-rsigner', $signer->alone, '-rkey',
        $signer->key_file, '-nmin', $arg{minutes} // 600, '-respout', $answer);
}

# A file (DER) with what the authority says of one of its certificates.
sub ocsp_answer ($self, $cert, %arg) {
    my $file = "$self->{base}." . ++$made . '.ocsp.der';
    openssl($self->{folder}, $self->_ocsp($file, %arg), '-issuer', $self->alone, '-cert', $cert->alone, '-no_nonce');
    return $file;
}

# A handler for $w->origin.  before => sub: is called with the connection first; when it returns true it has answered itself.
sub ocsp_responder ($self, %arg) {
    return sub ($c) {
        return if $arg{before} && $arg{before}->($c);
        my $base = "$self->{base}.asked.$$." . $c->served;
        _write("$base.request", $c->request->body);
        openssl($self->{folder}, $self->_ocsp("$base.answer", %arg), '-reqin', "$base.request");
        $c->reply(200, Weir::Server::slurp("$base.answer"), 'Content-Type', 'application/ocsp-response');
    };
}

# -- other files --

# DH parameters of a named group: no time to make.
sub dhparam ($self, $group = 'ffdhe2048') {
    my $file = "$self->{folder}/$group.pem";
    openssl($self->{folder}, 'genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', "group:$group", '-out', $file);
    return $file;
}

# A file of 48 or 80 random bytes for ssl_session_ticket_key.
sub ticket_key ($self, $bytes = 80) {
    my $file = "$self->{folder}/ticket-" . ++$made . '.key';
    openssl($self->{folder}, 'rand', '-out', $file, $bytes);
    return $file;
}

# Any text in a file beside them.
sub text_file ($self, $name, $text) { _write("$self->{folder}/$name", $text) }

1;
