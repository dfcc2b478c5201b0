# h2spec: every case must pass, in the clear and over TLS.  The project's own cases are t/h2 and t/attacks.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;

my $h2spec = h2spec();
my $w      = Weir::Test->new('h2spec finds nothing');
my $site   = Weir::Pki->authority($w, 'root')->server('localhost');
my $origin = $w->origin(sub { shift->reply(200, 'x' x 100_000) });
$w->conf("http2_max_concurrent_streams 100; server { http2 on; location / { proxy_pass http://$origin; } }
    server { listen 127.0.0.1:%%PORT_tls%% ssl; @{[ $site->conf ]} http2 on; location / { proxy_pass http://$origin; } }", workers => 1);
$w->start;
for my $how ([ 'in the clear', '', ], [ 'over TLS', 'tls', '-t', '-k' ]) {
    my ($name, $port, @flags) = @$how;
    my ($code, $said) = $w->command(100, $h2spec, '-h', '127.0.0.1', '-p', $w->port($port), '-o', 5, @flags);
    is $code, 0, "$name: h2spec is content" or diag $said;
    like $said, qr/^14[5-9] tests, 14[5-9] passed, [01] skipped, 0 failed/m, "$name: every case passes";
}

done_testing;

# The one on the path, else that which scripts/test built.
sub h2spec () {
    my ($found) = grep { -x } map { "$_/h2spec" } split(/:/, $ENV{PATH}), 'objs/test/bin';
    plan(skip_all => 'h2spec is not here: scripts/test builds it with Go') unless $found;
    return $found;
}
