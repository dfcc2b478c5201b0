# identify certificate: by its fingerprint, its subject or one of its names, where a trusted authority has signed it; never where it only was let pass.
use v5.36;
use lib 't/lib';
use Weir::Cert;
use Weir::Test;
use Weir::Tls;

my $w     = Weir::Test->new('a verified certificate names a consumer')->needs_weir;
my $ca    = Weir::Cert->ca($w, 'clients');
my $other = Weir::Cert->ca($w, 'others');
my $alice = $ca->issue('alice', for => 'client');
my $bob   = $ca->issue('bob', for => 'client');
my $false = $other->issue('alice', for => 'client');
my $own   = Weir::Cert->ca($w, 'servers')->issue('localhost');
my $dump  = sub ($cert, @what) { my $text = `openssl x509 -in $cert->{cert} -noout @what`; chomp $text; $text =~ s/^[^=]*=//r };
my $places = join '', map { "location /$_ { identify certificate $_; try_files /no \@who; }\n" } qw(fingerprint subject san);
my $block = sub ($port, $verify) { <<"END" };
    server {
        listen 127.0.0.1:%%PORT_$port%% ssl;
        ssl_verify_client $verify;
        $places
        location \@who { return 200 "\$consumer|\$consumer_method"; }
        location /deny { default_deny on; identify certificate subject; proxy_pass http://127.0.0.1:%%PORT_plain%%; }
    }
END
$w->conf("ssl_certificate $own->{cert}; ssl_certificate_key $own->{key}; ssl_client_certificate $ca->{cert};"
    . $block->('on', 'on') . $block->('optional', 'optional') . $block->('no_ca', 'optional_no_ca') . $block->('off', 'off')
    . 'server { listen 127.0.0.1:%%PORT_plain%%; location / { return 200 in; } }', main => "store_path store;\n", workers => 1);
my $subject = sub ($cert) { `openssl x509 -in $cert->{cert} -noout -subject -nameopt RFC2253` =~ s/^subject=\s*//r =~ s/\s+\z//r };
is +($w->tool('consumer', 'add', 'acme', 'identity=certificate:fingerprint:' . $dump->($alice, '-fingerprint', '-sha256'),
    'identity=certificate:subject:' . $subject->($alice)))[0], 0, 'a consumer by its certificate, as openssl prints it';
my ($san) = `openssl x509 -in $alice->{cert} -noout -ext subjectAltName 2>/dev/null` =~ /(?:DNS|URI|email):(\S+?)(?:,|\s|\z)/;
$w->start;
my $ask = sub ($port, $cert, $path) { my $answer = Weir::Tls::client($w, port => $port, cert => $cert)->get($path); $answer->status . ' ' . $answer->body };

for my $port (qw(on optional no_ca)) {
    is $ask->($port, $alice, "/$_"), '200 acme|certificate', "ssl_verify_client $port: by its $_" for qw(fingerprint subject);
    like $ask->($port, $bob, "/$_"), qr/^403 /, "ssl_verify_client $port: another one's $_ is nobody's" for qw(fingerprint subject);
}
is $ask->('off', $alice, '/subject'), '200 |', 'where nobody is asked for one, nobody is known by it';
is $ask->('optional', undef, '/subject'), '200 |', 'who sends none is nobody';
is $ask->('no_ca', $false, "/$_"), '200 |', "a certificate of the same subject that an unknown authority has signed is let pass, and names nobody by its $_"
    for qw(subject fingerprint san);
is $ask->('no_ca', $alice, '/deny'), '200 in', 'a certificate that is known lets in';
like $ask->('no_ca', $false, '/deny'), qr/^403 /, 'one that is not verified does not';
like $ask->('optional', undef, '/deny'), qr/^403 /, 'and none';

SKIP: {
    skip 'these certificates have no names', 1 if !defined $san;
    is +($w->tool('identity', 'add', "certificate:san:dns:\U$san", 'consumer=acme'))[0], 0, 'a name, in any case';
    is $ask->('on', $alice, '/san'), '200 acme|certificate', 'by a name';
}
for my $case ([qr/must go on with fingerprint:, subject:/, 'certificate:abc'], [qr/SHA-256 of the certificate, 64 hex digits/, 'certificate:fingerprint:ab:cd'],
    [qr/must go on with/, 'certificate:san:tel:1'], [qr/must be KIND:VALUE/, 'Jwt:x'], [qr/must be KIND:VALUE/, 'jwt:'], [qr/is no kind of identities/, 'api_key:x']) {
    my ($complaint, $identity) = @$case;
    my ($code, $said) = $w->tool('identity', 'add', $identity, 'consumer=acme');
    is $code, 1, "refused: $identity";
    like $said, $complaint, 'and told why';
}

done_testing;
