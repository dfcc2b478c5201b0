# RFC 8446 §C.4: clients show a ticket of TLS 1.3 once; so a connection that was resumed brings the next one.
use v5.36;
use lib 't/lib';
use Weir::Cert;
use Weir::Test;
use Weir::Tls;

my $w    = Weir::Test->new('each connection brings a new ticket');
my $cert = Weir::Cert->ca($w, 'root')->issue('localhost');
$w->conf(<<"END");
    server {
        listen 127.0.0.1:%%PORT%% ssl; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; ssl_session_cache shared:SSL:1m;
        location / { return 200 '\$ssl_session_reused'; }
    }
END

for my $version (qw(TLSv1_3 TLSv1_2)) {
    my ($session, @reused, @new);
    for (1 .. 12) {
        my $c = Weir::Tls::client($w, version => $version, session => $session);
        push @reused, $c->get('/')->body;
        push @new, scalar $c->{sessions}->@*;
        $session = $version eq 'TLSv1_2' && $session ? $session : $c->{sessions}->@* ? $c->session : undef;      # that of 1.3 is used once
        $c->close;
    }
    is "@reused", '. ' . join(' ', ('r') x 11), "$version: all but the first are resumed";
    is_deeply [ @new[1 .. 11] ], [ ($version eq 'TLSv1_3' ? 1 : 0) x 11 ], "$version: " . ($version eq 'TLSv1_3' ? 'each brings one ticket' : 'one ticket is enough');
}

done_testing;
