use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;

$ENV{PATH} .= ':/usr/sbin';
needs(qw(nghttpd h2load));

my $w    = Weir::Test->new('nghttpd is a peer of HTTP/2');
my $root = Weir::Pki->authority($w, 'root');
my $site = $root->server('peer.example.com');
mkdir "$w->{dir}/docs" or die $!;
$w->write_file("docs/$_->[0]", $_->[1]) for [ 'index.html', 'hello' ], [ 'large', 'x' x 3_000_000 ];
my %port = map { $_ => $w->port($_) } qw(plain tls);
$w->background('nghttpd', '--no-tls', '-a', '127.0.0.1', '-d', "$w->{dir}/docs", '--echo-upload', $port{plain});
$w->background('nghttpd', '-a', '127.0.0.1', '-d', "$w->{dir}/docs", $port{tls}, $site->key_file, $site->file);
$w->conf(<<"END");
    proxy_http_version 2; client_max_body_size 0; proxy_set_header Host peer.example.com;
    upstream plain { server 127.0.0.1:$port{plain}; keepalive 4; }
    upstream tls { server 127.0.0.1:$port{tls}; keepalive 4; }
    server {
        http2 on;
        location /plain/ { proxy_pass http://plain/; }
        location /tls/ { proxy_pass https://tls/; proxy_ssl_name peer.example.com; proxy_ssl_server_name on; proxy_ssl_verify on; proxy_ssl_trusted_certificate @{[ $root->file ]}; }
    }
END
$w->start;
for my $name (qw(plain tls)) {
    $w->wait_until("nghttpd for $name", sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port{$name}) });
    is $w->get("/$name/index.html")->body, 'hello', "$name: a file";
    is $w->get("/$name/nothing")->status, 404, "$name: none";
    is length $w->get("/$name/large")->body, 3_000_000, "$name: a large one";
    my ($code, $said) = $w->command(40, 'h2load', '-n', 2000, '-c', 10, '-m', 20, 'http://127.0.0.1:' . $w->port . "/$name/index.html");
    like $said, qr/2000 succeeded, 0 failed, 0 errored, 0 timeout/, "$name: 2,000 requests, 200 at a time" or diag $said;
}
my $upload = 'u' x 500_000;
ok $w->request('POST', '/plain/echo', body => $upload)->body eq $upload, 'an upload comes back';

done_testing;
