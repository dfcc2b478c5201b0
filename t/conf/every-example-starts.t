use v5.36;
use lib 't/lib';
use File::Basename 'dirname';
use File::Path 'make_path';
use Weir::Pki;
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
    'conf/examples/consumers-and-quotas.conf' => [ [ '/', 401, qr/401/ ] ],
    'conf/examples/internal-tools.conf' => [
        [ '/',       502, qr/502/, 'wiki.tools.example.org' ],
        [ '/whoami', 200, qr/^127\.0\.0\.1 wiki (?:new|old)$/, 'wiki.tools.example.org' ],
        [ '/whoami', 200, qr/^127\.0\.0\.1 builds /, 'a.builds.example.org' ],
        [ '/whoami', 200, qr/^127\.0\.0\.1 home of ann /, 'ann.home.example.org' ],
        [ '/whoami', 200, qr/^127\.0\.0\.1  /, 'elsewhere.example.org' ],
    ],
    'conf/examples/canary.conf' => [
        [ '/which',             200, qr/^stable for 127\.0\.0\.1$/, 'shop.example.org' ],
        [ '/which',             200, qr/^canary for 127\.0\.0\.1$/, 'shop.example.org', 'Cookie', 'release=canary' ],
        [ '/which',             200, qr/^canary for 192\.0\.2\.7$/, 'shop.example.org', 'X-Forwarded-For', '6.6.6.6, 192.0.2.7, 10.0.0.1' ],
        [ '/which',             403, qr/403/,                       'shop.example.org', 'User-Agent', 'BadBot/1' ],
        [ '/articles/12.html',  301, qr/301/,                       'shop.example.org' ],
        [ '/m/which',           200, qr/^stable/,                   'shop.example.org' ],
        [ '/',                  502, qr/502/,                       'shop.example.org' ],
        [ '/release/notes',     502, qr/502/,                       'shop.example.org' ],
        [ '/search/?q=x',       502, qr/502/,                       'shop.example.org' ],
    ],
    'conf/examples/websocket.conf'      => [ [ '/', 502, qr/502/ ], [ '/events', 502, qr/502/ ] ],
    'conf/examples/tls-http2-edge.conf' => [ [ '/cart?n=1', 301, qr/301/, 'shop.example.org' ] ],
    'conf/examples/grpc.conf'           => [ [ '/users.v1.Users/Get', 502, qr/502/ ], [ '/', 404, qr/404/ ] ],
    'conf/examples/static-site.conf' => [
        [ '/',                200, qr/^the first page$/,   'www.example.org' ],
        [ '/about',           200, qr/^about us$/,         'www.example.org' ],
        [ '/guide',           301, qr/301/,                'www.example.org' ],
        [ '/guide/',          200, qr/^the guide$/,        'www.example.org' ],
        [ '/assets/site.css', 200, qr/^body \{\}$/,        'www.example.org' ],
        [ '/assets/none.css', 404, qr/^nothing here$/,     'www.example.org' ],
        [ '/assets/site.css', 206, qr/^body$/,             'www.example.org', 'Range', 'bytes=0-3' ],
        [ '/app/page',        502, qr/^sorry$/,            'www.example.org' ],
        [ '/members/',        500, qr/500/,                'www.example.org' ],
        [ '/handed-out/x',    404, qr/^nothing here$/,     'www.example.org' ],
        [ '/mirror/',         200, qr/big\.iso/,           'www.example.org' ],
        [ '/pixel.gif',       200, qr/^GIF89a/,            'www.example.org' ],
        [ '/.git/config',     404, qr/^nothing here$/,     'www.example.org' ],
    ],
    'conf/examples/multi-tenant.conf' => [
        [ '/whoami', 200, qr/^acme at acme-blue$/,                         'www.acme.example.org' ],
        [ '/whoami', 200, qr/^initech at initech\.services\.internal:8080$/, 'initech.saas.example.org' ],
        [ '/',       404, qr/^There is nobody/,                            'elsewhere.example.org' ],
        [ '/',       502, qr/502/,                                         'www.acme.example.org' ],
        [ '/upload', 502, qr/502/,                                         'www.acme.example.org' ],
    ],
    'conf/examples/load-balancing.conf' => [ [ '/', 502, qr/502/ ] ],
    'conf/examples/resilience.conf' => [ [ '/', 502, qr/502/ ] ],
);

# Files that they serve.
my %files = ('conf/examples/static-site.conf' => {
    'site/index.html' => "the first page", 'site/about.html' => 'about us', 'site/guide/index.html' => 'the guide', 'site/assets/site.css' => 'body {}',
    'site/404.html' => 'nothing here', 'site/sorry.html' => 'sorry', 'mirror/big.iso' => 'x', 'site/.git/config' => 'secret',
});

is_deeply [ sort keys %asks ], [ sort glob('conf/*.conf conf/examples/*.conf') ], 'every example is asked something';

for my $file (sort keys %asks) {
    my $w = Weir::Test->new("$file starts")->needs_weir;
    open my $in, '<', $file or die "$file: $!\n";
    my $text = do { local $/; <$in> };

    $w->write_file('conf/mime.types', do { open my $types, '<', 'conf/mime.types' or die; local $/; <$types> });
    for my $name (sort keys %{ $files{$file} // {} }) {
        my $path = $w->dir . "/html/$name";
        make_path(dirname($path));
        $w->write_file($path, $files{$file}{$name});
    }
    chmod 0755, $w->dir;
    chmod 0777, $w->dir . '/logs';

    # Certificates that it names, of any name they like.
    while ($text =~ /^\s*ssl_certificate\s+(certs\/\S+)\.pem;/gm) {
        my $cert = ($w->{root} //= Weir::Pki->authority($w, 'root'))->server('example.org');
        mkdir $w->dir . '/conf/certs';
        $w->write_file("conf/$1.pem", $cert->pem);
        $w->write_file("conf/$1.key", $cert->key_pem);
    }
    $w->conf_main($text);
    my ($code, $said) = $w->run('-t', '-p', $w->dir . '/', '-c', 'conf/weir.conf');
    is $code, 0, "$file is right as it is" or diag $said;

    # Ports that the file listens on become the test's, the first one being the port that is asked; nobody is behind any other.
    my ($first) = my @listens = $text =~ /^\s*listen\s+(?:[\d.]+:)?(\d+)/gm;
    my %port = map { $_ => $_ eq $first ? '%%PORT%%' : "%%PORT_$_%%" } @listens;
    my %dead;
    $text =~ s/^(\s*listen\s+)(?:[\d.]+:)?(\d+)/${1}127.0.0.1:$port{$2}/gm;
    $text =~ s/((?:server|http:\/\/)\s*)127\.0\.0\.1:(\d+)/$1 . ($port{$2} ? "127.0.0.1:$port{$2}" : ($dead{$2} ||= $w->refused_peer))/ge;
    $text =~ s/worker_processes auto/worker_processes 2/;
    $w->conf_main("daemon off;\n$text");
    for my $ask ($asks{$file}->@*) {
        my ($target, $status, $body, $host, @headers) = @$ask;
        my $answer = $w->request('GET', $target, host => $host // 'localhost', headers => \@headers);
        is $answer->status, $status, "$file: $target";
        like $answer->body, $body, "$file: $target says so";
    }
}

done_testing;
