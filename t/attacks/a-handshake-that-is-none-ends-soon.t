# What is no handshake, breaks off, never ends, or has too much in it costs its own connection and little memory.
use v5.36;
use lib 't/lib';
use Time::HiRes 'time';
use Weir::Pki;
use Weir::Test;

my $w    = Weir::Test->new('a handshake that is none ends soon');
my $site = Weir::Pki->authority($w, 'root')->server('localhost');
$w->conf("server { listen 127.0.0.1:%%PORT%% ssl; @{[ $site->conf ]} client_header_timeout 500ms; location / { return 200 ok; } }", workers => 1);

# A hello of OpenSSL's, to be changed.
my $hello = do {
    my $c = $w->tls(name => 'localhost', handshake => 0);
    $c->{flights} = '';
    $c->begin;
    my $bytes = $c->{flights};
    $c->close;
    $bytes;
};
cmp_ok length $hello, '>', 200, 'a hello';
my $record  = sub ($type, $bytes, $length = length $bytes) { pack('CnnA0', $type, 0x0301, $length) . $bytes };
my $message = sub ($type, $bytes, $length = length $bytes) { pack('CCn', $type, $length >> 16, $length & 0xffff) . $bytes };
my $inner   = substr $hello, 9;                                    # without the heads of record and message
my $session = ord substr $inner, 34, 1;
my $after   = 35 + $session;                                       # where the ciphers begin
my $ciphers = unpack 'n', substr $inner, $after, 2;
my $rest    = $after + 2 + $ciphers;                               # compression
my $fixed   = substr $inner, 0, $after;
my $tail    = substr $inner, $rest;
my $extensions = sub ($bytes) { $record->(22, $message->(1, substr($inner, 0, $rest + 2) . pack('n', length $bytes) . $bytes)) };
my %ends = (
    'HTTP/1.1'                => "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" =~ s/^GET/XXX/r,
    'SMTP'                    => "EHLO example.com\r\n",
    'SSH'                     => "SSH-2.0-OpenSSH_9.2\r\n",
    'SSLv2'                   => "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" . "\x01\x00\x80" x 7 . 'x' x 16,
    'zeros'                   => "\0" x 1000,
    'a record of type 99'     => $record->(99, 'x' x 50),
    'data before a handshake' => $record->(23, 'x' x 50),
    'an alert before it'      => $record->(21, "\x02\x28"),
    'an empty record'         => $record->(22, ''),
    'a record too long'       => $record->(22, 'x' x 20_000, 20_000),
    'a message of 16 MiB'     => $record->(22, $message->(1, 'x' x 1000, 0xffffff)),
    'another message'         => $record->(22, $message->(2, $inner)),
    'a short hello'           => $record->(22, $message->(1, substr $inner, 0, 20)),
    'a session id of 255'     => $record->(22, $message->(1, substr($inner, 0, 34) . "\xff" . substr $inner, 35)),
    'no ciphers'              => $record->(22, $message->(1, $fixed . "\0\0" . $tail)),
    'an odd number of cipher bytes' => $record->(22, $message->(1, $fixed . "\0\x03abc" . $tail)),
    'ciphers that nobody knows' => $record->(22, $message->(1, $fixed . "\0\x04\x0a\x0a\x1a\x1a" . $tail)),
    'compression only'        => $record->(22, $message->(1, substr($inner, 0, $rest) . "\x01\x01" . substr $tail, 2)),
    'extensions longer than the hello' => $record->(22, $message->(1, substr($inner, 0, $rest + 2) . "\xff\xff" . 'x' x 20)),
    'an extension longer than they are' => $extensions->(pack 'nn', 0, 500),
    'an extension twice'      => $extensions->(pack('nn', 0x23, 0) x 2),
    'a name that is empty'    => $extensions->(pack 'nnnCn', 0, 5, 3, 0, 0),
    'a name of 300 bytes'     => $extensions->(pack('nnnCn', 0, 305, 303, 0, 300) . 'a' x 300),
);
my $end = sub ($bytes) {
    my $c = $w->client;
    $c->write($bytes);
    my $came = eval { $c->take_all } // "exception $@";
    return $came =~ /^exception/ ? $came : $came eq '' || $came =~ /^(?:\x15\x03|HTTP\/1\.1 4)/ ? 'ended' : 'answered ' . unpack 'H*', substr $came, 0, 20;
};
for my $name (sort keys %ends) {
    my $began = time;
    is $end->($ends{$name}), 'ended', $name;
    cmp_ok time - $began, '<', 8, "$name: soon";
}
is $end->(substr $hello, 0, $_), 'ended', "a hello cut after $_ bytes" for 1, 4, 5, 9, 50, length($hello) - 1;
is $w->tls(name => 'localhost')->get('/')->status, 200, 'others are served';
my $before = $w->memory;
my @half = map { my $c = $w->client; $c->write(substr $hello, 0, 100); $c } 1 .. 200;
cmp_ok $w->memory - $before, '<', 200 * 64, 'two hundred handshakes under way take less than 64 KiB each' unless $w->is_sanitized;
ok $half[0]->at_eof, 'and end with client_header_timeout';
$_->close for @half;


done_testing;
