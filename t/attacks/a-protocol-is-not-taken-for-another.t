# ALPN without a match ends the handshake; what was agreed on is what is read; other protocols' bytes reach nobody (ALPACA).
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;
use Weir::TlsClient;

my $w      = Weir::Test->new('a protocol is not taken for another');
my $origin = $w->echo_origin;
my $root   = Weir::Pki->authority($w, 'root');
my $conf   = $root->server('localhost')->conf;
$w->conf("client_header_timeout 300ms; server { listen 127.0.0.1:%%PORT%% ssl; http2 on; $conf location / { proxy_pass http://$origin; } }
    server { listen 127.0.0.1:%%PORT_one%% ssl; $conf location / { proxy_pass http://$origin; } }", workers => 1);

# -- agreeing --
for my $case ([ 'h2', 'h2' ], [ 'http/1.1', 'http/1.1' ], [ 'h2 http/1.1', 'h2' ], [ 'http/1.1 h2', 'h2' ], [ 'ftp http/1.1', 'http/1.1' ],
    [ 'http/1.0', 'http/1.0' ], [ '', '' ])
{
    my ($offered, $agreed) = @$case;
    my $client = $w->tls($offered eq '' ? () : (alpn => [ split ' ', $offered ]));
    is $client->alpn, $agreed, $offered eq '' ? 'no ALPN: none' : "of '$offered' it is $agreed";
    $client->close;
}
for my $offered ('ftp', 'smtp', 'imap', 'xmpp-client', 'acme-tls/1', 'H2', 'http/2', 'spdy/3.1', 'dot') {
    for my $version ('TLSv1.2', 'TLSv1.3') {
        like $w->tls_refusal(alpn => [ $offered ], version => $version), qr/no application protocol/i, "$version: '$offered' alone is refused";
    }
}
like $w->tls_refusal(alpn => ['h2'], port => 'one'), qr/no application protocol/i, 'h2 where it is not spoken';

# -- malformed offers --
for my $case ([ 'empty', '' ], [ 'an empty list', "\0\0" ], [ 'an empty name', "\0\1\0" ], [ 'a name beyond the list', "\0\3\x09h2" ],
    [ 'a list beyond the extension', "\0\x20\x02h2" ], [ 'bytes behind', "\0\x03\x02h2x" ])
{
    my ($what, $bytes) = @$case;
    my $client = $w->client;
    $client->send(Weir::TlsClient::record(22, Weir::TlsClient::hello(more => Weir::TlsClient::extension(16, $bytes))));
    is Weir::TlsClient::verdict($client), 50, "ALPN of $what: decode_error";
    $client->close;
}

# -- one protocol agreed on, another spoken --
my $preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
for my $alpn ([ 'http/1.1' ], undef) {
    my $client = $w->tls($alpn ? (alpn => $alpn) : (), port => 'one');
    my $all = $client->send($preface)->take_all;
    like $all, qr{^HTTP/1\.1 (?:400|505) }, 'an HTTP/2 preface where HTTP/1.1 is spoken';
    unlike $all, qr/\0\0.{0,2}\x04/, 'is not answered in frames';
}
my $client = $w->tls(alpn => ['h2']);
my $all = $client->send("GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")->take_all;
unlike $all, qr/HTTP\/1/, 'HTTP/1.1 where h2 was agreed on is not answered as such';

my %others = (
    SMTP => "EHLO evil\r\nMAIL FROM:<a\@b>\r\nRCPT TO:<c\@d>\r\nDATA\r\n", FTP => "USER anonymous\r\nPASS x\r\nSTOR /etc/passwd\r\n",
    IMAP => "a1 LOGIN x y\r\na2 SELECT INBOX\r\n",                        POP3 => "USER x\r\nPASS y\r\n",
    redis => "*1\r\n\$4\r\nINFO\r\n",                                      TLS => Weir::TlsClient::record(22, Weir::TlsClient::hello()),
    SSH => "SSH-2.0-OpenSSH_9\r\n",                                        binary => join('', map { chr } 0 .. 255),
);
for my $what (sort keys %others) {
    my ($word) = $others{$what} =~ /(\w{3,})/;
    for my $way ('tls', $what eq 'TLS' ? () : 'client') {
        my $all = $w->$way->send($others{$what})->take_all;
        like $all, qr{^HTTP/1\.1 40[08] }, "$what is refused, " . ($way eq 'tls' ? 'inside TLS' : 'in place of TLS');
        unlike $all, qr/\Q$word\E/, 'and nothing of it reflected' if defined $word;
    }
}
is $origin->requests, 0, 'nothing of all that went upstream';

done_testing;
