# h2spec, where it is on the path: every case of its 147 must pass, in the clear and over TLS.  The project's own cases are t/h2 and t/attacks.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;

needs('h2spec');

my $w    = Weir::Test->new('h2spec finds nothing');
my $site = Weir::Pki->authority($w, 'root')->server('localhost');
my $body = 'x' x 100_000;
$w->conf("http2_max_concurrent_streams 100; server { http2 on; location / { return 200 $body; } }
    server { listen 127.0.0.1:%%PORT_tls%% ssl; @{[ $site->conf ]} http2 on; location / { return 200 $body; } }", workers => 1);
$w->start;
for my $how ([ 'in the clear', '', ], [ 'over TLS', 'tls', '-t', '-k' ]) {
    my ($name, $port, @flags) = @$how;
    my ($code, $said) = $w->command(300, 'h2spec', '-h', '127.0.0.1', '-p', $w->port($port), '-o', 5, @flags);
    is $code, 0, "$name: every case passes" or diag $said;
}

done_testing;
