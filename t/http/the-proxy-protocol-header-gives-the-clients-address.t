# listen … proxy_protocol: versions 1 and 2, in front of plain HTTP, TLS and HTTP/2, split anywhere; what it says, and what is refused.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Socket qw(inet_pton AF_INET6);

my $w = Weir::Test->new('the proxy protocol header gives the clients address');
Weir::Test::needs 'openssl';
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join '|', map { $r->header($_) // '-' } 'X-Addr', 'X-Real') });
my $tlvs = $w->is_nginx ? '' : '$proxy_protocol_tlv_authority,$proxy_protocol_tlv_0xea,$proxy_protocol_tlv_ssl_cn,$proxy_protocol_tlv_ssl_verify,$proxy_protocol_tlv_ssl_0x21';
$w->allow_log(qr/\[emerg\]/, qr/client\.proxy_protocol|broken header|header is too large/);
my $dir = $w->dir;
my ($code) = $w->command(20, qw(openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout), "$dir/key.pem", '-out', "$dir/cert.pem");
is $code, 0, 'a certificate';
$w->conf(<<"END");
    log_format p '\$remote_addr \$uri';
    access_log logs/p.log p;
    server {
        listen 127.0.0.1:%%PORT%% proxy_protocol;
        location / { return 200 "\$proxy_protocol_addr \$proxy_protocol_port \$proxy_protocol_server_addr \$proxy_protocol_server_port|\$remote_addr|$tlvs"; }
        location /real { set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol; proxy_set_header X-Addr \$remote_addr; proxy_set_header X-Real \$realip_remote_addr; proxy_pass http://$origin; }
        location /untrusted { set_real_ip_from 192.0.2.0/24; real_ip_header proxy_protocol; proxy_set_header X-Addr \$remote_addr; proxy_pass http://$origin; }
    }
    server { listen 127.0.0.1:%%PORT_tls%% ssl proxy_protocol; ssl_certificate $dir/cert.pem; ssl_certificate_key $dir/key.pem; location / { return 200 "\$proxy_protocol_addr \$scheme"; } }
END
$w->start;
sub v2 ($command, $family, $body) { "\r\n\r\n\0\r\nQUIT\n" . chr(0x20 | $command) . chr($family) . pack('n', length $body) . $body }
sub tlv ($type, $value) { pack 'C n/a*', $type, $value }
my $get  = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
my $v1   = "PROXY TCP4 192.0.2.1 198.51.100.2 5678 443\r\n";
my $v4   = pack('C8 n2', 192, 0, 2, 7, 198, 51, 100, 9, 1234, 8443);
my $tlv  = tlv(2, 'name.example') . tlv(0xea, 'own') . tlv(0x20, pack('C N', 1, 5) . tlv(0x21, 'TLSv1.3') . tlv(0x22, 'client'));
my $v6   = inet_pton(AF_INET6, '2001:db8::1') . inet_pton(AF_INET6, '2001:db8::2') . pack('n2', 1, 2);
my $said = sub ($header, $request = $get) { $w->client->send($header . $request)->read_response->body };

my @cases = (
    [ 'version 1', $v1, '192.0.2.1 5678 198.51.100.2 443' ], [ 'of IPv6', "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", '2001:db8::1 1 2001:db8::2 65535' ],
    [ 'unknown', "PROXY UNKNOWN\r\n", '   ' ], [ 'unknown, with more', "PROXY UNKNOWN 1 2 3 4\r\n", '   ' ],
    [ 'version 2', v2(1, 0x11, $v4), '192.0.2.7 1234 198.51.100.9 8443' ], [ 'version 2 of IPv6', v2(1, 0x21, $v6), '2001:db8::1 1 2001:db8::2 2' ],
    [ 'local', v2(0, 0, ''), '   ' ], [ 'local with addresses', v2(0, 0x11, $v4), '   ' ],
    [ 'of no family', v2(1, 0, ''), '   ' ], [ 'of no family, with bytes', v2(1, 0, 'anything'), '   ' ],
);
for my $case (@cases) {
    my ($what, $header, $want) = @$case;
    next if $w->is_nginx && $what =~ /UNKNOWN/i;
    is $said->($header) =~ s/\|.*//sr, $want, $what;
}
is $said->(v2(1, 0x11, $v4 . $tlv)) =~ s/.*\|//sr, 'name.example,own,client,5,TLSv1.3', 'TLVs' unless $w->is_nginx;
is $said->($v1, "GET /real HTTP/1.1\r\nHost: a\r\n\r\n"), '192.0.2.1|127.0.0.1', 'real_ip_header proxy_protocol';
is $said->($v1, "GET /untrusted HTTP/1.1\r\nHost: a\r\n\r\n"), '127.0.0.1|-', 'of those who are trusted';
my $client = $w->client->send($v1 . $get);
is $client->read_response->status, 200, 'a connection';
is $client->send($get)->read_response->body =~ s/\|.*//sr, '192.0.2.1 5678 198.51.100.2 443', 'says it once for all';
for my $header ($w->is_nginx ? () : ($v1, v2(1, 0x11, $v4 . $tlv))) {        # (nginx wants it whole)
    for my $at (1, 5, 6, 11, 12, 15, 16, 20, length($header) - 1) {
        my $split = $w->client->send(substr $header, 0, $at);
        ok $split->is_quiet(0.02), "split at $at";
        is $split->send(substr($header, $at) . $get)->read_response->status, 200, 'is read all the same';
    }
}
my @bad = ($get, "PROXY TCP4 192.0.2.1 198.51.100.2 5678\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 5678 65536\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n",
    "PROXY TCP5 192.0.2.1 198.51.100.2 1 2\r\n", 'PROXY TCP4 ' . '1' x 200 . "\r\n", "PROXY \n", v2(1, 0x11, substr $v4, 0, 8), v2(2, 0x11, $v4), v2(1, 0x41, $v4),
    v2(1, 0x11, $v4 . "\1\0\5abc"), v2(1, 0x11, $v4 . 'x' x 5000), "\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c$v4");
for my $i (0 .. $#bad) {
    next if $w->is_nginx && ($i == 3 || $i == 4 || $i > 7);
    my $client = $w->client->send($bad[$i] . $get);
    is $client->take_all, '', "refused without a word: $i";
}
my $tls_port = $w->port('tls');
if (grep { -x "$_/curl" } split /:/, $ENV{PATH}) {
    my ($code, $out) = $w->command(20, 'curl', '-sk', '--haproxy-protocol', "https://127.0.0.1:$tls_port/");
    is $out, '127.0.0.1 https', 'in front of TLS';
    ($code, $out) = $w->command(20, 'curl', '-sk', "https://127.0.0.1:$tls_port/");
    isnt $code, 0, 'which does not do without';
}
my ($status, $text) = $w->check_conf('server { listen 127.0.0.1:1 proxy_protocols; }');
like $text, qr/invalid parameter "proxy_protocols"/, 'a slip is told';
done_testing;
