use v5.36;
use lib 't/lib';
use Weir::Test;

# Each configuration that is shipped: checked as it is, then started on ports of the test's own.

my %asks = (
    'conf/quickstart.conf' => [
        [ '/',        200, qr/^Hello from behind Weir.*you asked for   \/\n.*by way of       127\.0\.0\.1\n/s ],
        [ '/teapot',  418, qr/teapot/ ],
        [ '/broken',  502, qr/502 Bad Gateway/ ],
        [ '/healthz', 204, qr/^$/ ],
    ],
    'conf/weir.conf' => [ [ '/', 200, qr/Weir is running/ ] ],
    'conf/examples/reverse-proxy.conf' => [
        [ '/any',          502, qr/502/, 'shop.example.org' ],
        [ '/internal-api/', 503, qr/come back/, 'shop.example.org' ],
        [ '/x?y',          301, qr/301/, 'www.shop.example.org' ],
    ],
    'conf/examples/websocket.conf'      => [ [ '/', 502, qr/502/ ] ],
    'conf/examples/load-balancing.conf' => [ [ '/', 502, qr/502/ ] ],
);

is_deeply [ sort keys %asks ], [ sort glob('conf/*.conf conf/examples/*.conf') ], 'every example is asked something';

for my $file (sort keys %asks) {
    my $w = Weir::Test->new("$file starts")->needs_weir;
    open my $in, '<', $file or die "$file: $!\n";
    my $text = do { local $/; <$in> };

    $w->conf_main($text);
    my ($code, $said) = $w->run('-t', '-p', $w->dir . '/', '-c', 'conf/weir.conf');
    is $code, 0, "$file is right as it is" or diag $said;

    # The first `listen` is the port that is asked; peers on this machine are others, where nobody listens unless the file does.
    my $first = '';
    $text =~ s/^(\s*listen\s+(?:127\.0\.0\.1:)?)(\d+)/my $p = $2; $first ||= $p; "$1%%PORT_" . ($p eq $first ? '' : $p) . '%%'/gem;
    $text =~ s/%%PORT_%%/%%PORT%%/g;
    $text =~ s/(\blisten\s+(?!127)(?=%%))/${1}127.0.0.1:/g;
    $text =~ s/((?:server|http:\/\/)\s*)127\.0\.0\.1:(\d+)/${1}127.0.0.1:%%PORT_$2%%/g;
    $text =~ s/worker_processes auto/worker_processes 2/;
    $w->conf_main("daemon off;\n$text");
    for my $ask ($asks{$file}->@*) {
        my ($target, $status, $body, $host) = @$ask;
        my $answer = $w->request('GET', $target, host => $host // 'localhost');
        is $answer->status, $status, "$file: $target";
        like $answer->body, $body, "$file: $target says so";
    }
}

done_testing;
