# An idle TLS connection keeps no buffers: its memory is OpenSSL's state of the connection and little more.
use v5.36;
use lib 't/lib';
use Weir::Http2;
use Weir::Pki;
use Weir::Test;

my $n = 400;
for my $how ([ 'TLSv1.3', 'http/1.1' ], [ 'TLSv1.2', 'http/1.1' ], [ 'TLSv1.3', 'h2' ]) {
    my ($version, $protocol) = @$how;
    my $w    = Weir::Test->new("idle connections are small, $version, $protocol");
    my $site = Weir::Pki->authority($w, 'root')->server('localhost');
    $w->conf("server { listen 127.0.0.1:%%PORT%% ssl; http2 on; @{[ $site->conf ]} keepalive_timeout 100s; location / { return 200 ok; } }", workers => 1);
    my $open = sub {
        if ($protocol eq 'h2') { my $c = Weir::Http2::over_tls($w, name => 'localhost', version => $version); $c->ask; return $c }
        my $c = $w->tls(name => 'localhost', version => $version, alpn => [$protocol]);
        $c->get('/');
        return $c;
    };
    my @warm   = map { $open->() } 1 .. 20;
    my $before = $w->memory;
    my @idle   = map { $open->() } 1 .. $n;
    my $each   = ($w->memory - $before) / $n;
    note sprintf '%s, %s: %.1f KiB an idle connection', $version, $protocol, $each;
    SKIP: {
        skip "a sanitizer's memory is not Weir's", 1 if $w->is_sanitized;
        cmp_ok $each, '<', 32, "$version, $protocol: less than 32 KiB each";
    }
    $_->close for @warm, @idle;
}

done_testing;
