use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a client body is kept in memory or a file');
my $origin = $w->origin(sub ($c) {
    $c->reply(200, length($c->request->body) . ' ' . unpack '%32C*', $c->request->body) });
$w->conf("client_max_body_size 0; client_body_buffer_size 4k; client_body_temp_path bodies; server { location / { proxy_pass http://$origin; } }", workers => 1);

for my $size (0, 1, 4095, 4096, 4097, 16384, 100_000, 5_000_000) {
    my $body = substr 'abcdefg' x ($size / 7 + 1), 0, $size;
    is $w->request('POST', '/', body => $body)->body, $size . ' ' . unpack('%32C*', $body), "$size bytes by length";
    my $client = $w->client;
    $client->send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        . join('', map { sprintf "%x\r\n%s\r\n", length, $_ } $body =~ /(.{1,9973})/gs) . "0\r\n\r\n");
    is $client->read_response->body, $size . ' ' . unpack('%32C*', $body), "$size bytes by chunks";
    $client->close;
}
is_deeply [ glob $w->dir . '/bodies/*' ], [], 'no file is left' unless $w->is_nginx;

done_testing;
