# The certificate of a name is another file's, or another in the same file, at each reload, while clients make handshakes without a pause: none
# fails, each sees one of the certificates whole, sessions of before are resumed, connections of before go on, and the memory of what nobody
# needs any more goes.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Cert;
use Weir::Test;
use Weir::Tls;

my $rounds = $ENV{WEIR_SOAK_SECONDS} ? 2 * $ENV{WEIR_SOAK_SECONDS} : 12;
my $w      = Weir::Test->new('a certificate is swapped under load')->needs_weir;
$w->time_limit(120 + 2 * $rounds);
my $ca    = Weir::Cert->ca($w, 'root');
my @certs = map { $ca->issue("one$_.example") } 0 .. 3;
my $other = $ca->issue('other.example');
my $slurp = \&Weir::Server::slurp;
my $put   = sub ($cert) { $w->write_file("site.$_", $slurp->($cert->{$_})) for qw(cert key) };
my $text  = sub ($cert, $key = $cert =~ s/cert$/key/r) { <<"END" };
    server { listen 127.0.0.1:%%PORT%% ssl; server_name first; ssl_certificate $other->{cert}; ssl_certificate_key $other->{key}; location / { return 200 other; } }
    server {
        listen 127.0.0.1:%%PORT%% ssl; server_name localhost;
        ssl_certificate $cert; ssl_certificate_key $key;
        location / { return 200 '\$ssl_session_reused'; }
    }
    server { listen 127.0.0.1:%%PORT_look%%; location / { status; } }
END
$put->($certs[0]);
my $file = $w->dir . '/site.cert';
$w->conf($text->($file), workers => 2);
$w->start;
my $stop = $w->dir . '/barrier.stop';

# Handshakes, each other one with the session of the one before.
my @loaders = map {
    my $version = $_;
    $w->child(sub {
        my ($n, $resumed, $session, %seen) = (0, 0);
        until (-e $stop) {
            my $c = Weir::Tls::client($w, ca => $ca, version => $version, session => $n % 2 ? $session : undef);
            my $reused = $c->get('/')->body;
            $reused =~ /^[r.]$/ or die "another server's answer: $reused\n";
            $seen{ $c->tls->peer_certificate('cn') }++;
            $resumed += $reused eq 'r';
            $session = $c->session;
            $c->close;
            pop $w->{clients}->@*;
            $n++;
        }
        print STDERR "handshakes $n resumed $resumed names " . join(' ', sort keys %seen) . "\n";
    });
} qw(TLSv1_2 TLSv1_3);

my %kept    = map { $_ => Weir::Tls::client($w, ca => $ca, version => $_) } qw(TLSv1_2 TLSv1_3);
my %session = map { is $kept{$_}->get('/')->body, '.', "$_: a session"; ($_ => $kept{$_}->session) } sort keys %kept;
my ($warm, $most) = (0, 0);
for my $round (1 .. $rounds) {
    my $cert = $certs[ $round % @certs ];
    if ($round % 3) {
        $put->($cert);
        $w->reload($text->($file));
    } else {
        $w->reload($text->($cert->{cert}, $cert->{key}));
    }
    is Weir::Tls::client($w, ca => $ca)->tls->peer_certificate('cn'), 'one' . $round % @certs . '.example', "round $round: a new connection sees the new one" if $round < 12;
    $warm = $w->memory if $round == int $rounds / 2;
    $most = $w->memory if $round > $rounds / 2 && $w->memory > $most;
}
is Weir::Tls::client($w, sni => 'first', ca => $ca)->tls->peer_certificate('cn'), 'other.example', 'another name has its own all the time';
for my $version (sort keys %kept) {
    my $c = Weir::Tls::client($w, version => $version, session => $session{$version});
    is $c->get('/')->body, 'r', "$version: a session of the first certificate is resumed behind $rounds others";
    is $kept{$version}->get('/')->body, '.', "$version: a connection of before them goes on";
}
my $mark = 'one' . $rounds % @certs . '.example';
$w->reload_refused($text->($certs[0]{cert}, $certs[1]{key}), qr/is not that of the certificate/);
is Weir::Tls::client($w, ca => $ca)->tls->peer_certificate('cn'), $mark, 'a key of another certificate is refused, and nothing changes';
$w->pass('stop');
for my $loader (@loaders) {
    my (undef, $said) = $loader->(30);
    my ($n, $resumed, $names) = $said =~ /^handshakes (\d+) resumed (\d+) names (.*)$/m;
    ok $n, "$n handshakes, none failed" or diag $said;
    ok $resumed, "$resumed were resumed";
    cmp_ok scalar(split / /, $names // ''), '>', 1, "they saw $names";
}
SKIP: {
    skip "a sanitizer's memory is not Weir's", 1 if $w->is_sanitized;
    cmp_ok $most, '<=', $warm * 1.1 + 1024, "memory of the workers: $warm KiB, later at most $most KiB";
}

done_testing;
