# None, unknown, an address, a trailing dot, upper case, 255 bytes, NUL, two names: each finds a server by the rules, or the
# handshake ends; and a certificate's own name with a NUL in it stands for nobody.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;
use Weir::TlsClient;

my $w    = Weir::Test->new('the name in a hello has one reading');
my $root = Weir::Pki->authority($w, 'root');
my $text = '';
for my $name ('default.test', 'one.test', 'wild.test') {
    my $names = $name eq 'wild.test' ? '*.wild.test' : $name;
    my $site  = $root->server($name);
    $text .= "server { listen 127.0.0.1:%%PORT%% ssl; server_name $names; @{[ $site->conf ]} location / { return 200 '$name \$ssl_server_name'; } }\n";
}
$w->conf($text, workers => 1);

# The bytes of a server_name extension, and whose certificate comes, or an alert.
my %long = map { $_ => join '.', ('a' x 61) x 4, 'b' x ($_ - 248) } 250 .. 260;
my @cases = (
    [ 'none at all',             undef,                                                      'default.test' ],
    [ 'a known one',             Weir::TlsClient::sni('one.test'),                           'one.test' ],
    [ 'upper case',              Weir::TlsClient::sni('ONE.TeST'),                           'one.test' ],
    [ 'a trailing dot',          Weir::TlsClient::sni('one.test.'),                          'one.test' ],
    [ 'two trailing dots',       Weir::TlsClient::sni('one.test..'),                         'default.test|alert 112' ],
    [ 'a dot alone',             Weir::TlsClient::sni('.'),                                  'default.test|alert 112' ],
    [ 'below a wildcard',        Weir::TlsClient::sni('a.wild.test'),                        'wild.test' ],
    [ 'deep below a wildcard',   Weir::TlsClient::sni('a.b.c.wild.test'),                    'wild.test' ],
    [ 'the wildcard itself',     Weir::TlsClient::sni('*.wild.test'),                        'wild.test|alert 112' ],
    [ 'the wildcard\'s parent',  Weir::TlsClient::sni('wild.test'),                          'default.test' ],
    [ 'unknown',                 Weir::TlsClient::sni('nobody.test'),                        'default.test' ],
    [ 'an address',              Weir::TlsClient::sni('127.0.0.1'),                          'default.test|alert 112' ],
    [ 'an IPv6 address',         Weir::TlsClient::sni('[::1]'),                              'alert 112' ],
    [ 'with a port',             Weir::TlsClient::sni('one.test:443'),                       'alert 112' ],
    [ '250 bytes',               Weir::TlsClient::sni($long{250}),                           'default.test' ],
    [ '255 bytes',               Weir::TlsClient::sni($long{255}),                           'default.test' ],
    [ '256 bytes',               Weir::TlsClient::sni($long{256}),                           'alert (?:112|50)' ],
    [ '10,000 bytes',            Weir::TlsClient::sni('a' x 10000),                          'alert (?:112|50)' ],
    [ 'empty',                   Weir::TlsClient::sni(''),                                   'alert (?:112|50)' ],
    [ 'a NUL inside',            Weir::TlsClient::sni("one.test\0.evil"),                    'alert (?:112|50)' ],
    [ 'a NUL at the end',        Weir::TlsClient::sni("one.test\0"),                         'alert (?:112|50)' ],
    [ 'a line end',              Weir::TlsClient::sni("one.test\r\nX: y"),                   'alert (?:112|50)' ],
    [ 'a slash',                 Weir::TlsClient::sni('../../etc/passwd'),                   'alert (?:112|50)' ],
    [ 'a blank',                 Weir::TlsClient::sni('one.test evil'),                      'alert (?:112|50)' ],
    [ 'high bytes',              Weir::TlsClient::sni("\xc3\xb6ne.test"),                    'alert (?:112|50)' ],
    [ 'two of one type',         Weir::TlsClient::sni('one.test', 'two.test'),               'alert (?:112|50)' ],
    [ 'of another type',         pack('n/a', pack 'C n/a', 7, 'one.test'),                   'alert (?:112|50)' ],
    [ 'no list',                 '',                                                         'alert (?:112|50)' ],
    [ 'an empty list',           pack('n', 0),                                               'alert (?:112|50)' ],
    [ 'a list too long for it',  pack('n C n/a', 100, 0, 'one.test'),                        'alert (?:112|50)' ],
    [ 'a list too short for it', pack('n C n/a', 5, 0, 'one.test'),                          'alert (?:112|50)' ],
    [ 'a name too long for it',  pack('n C n a*', 11, 0, 100, 'one.test'),                   'alert (?:112|50)' ],
    [ 'bytes behind the list',   Weir::TlsClient::sni('one.test') . 'xx',                    'alert (?:112|50)' ],
);
for my $case (@cases) {
    my ($what, $bytes, $want) = @$case;
    my $client = $w->client;
    my $more   = defined $bytes ? Weir::TlsClient::extension(0, $bytes) : '';
    my $hello  = Weir::TlsClient::hello(more => $more);
    $client->send(join '', map { Weir::TlsClient::record(22, $_) } unpack '(a16384)*', $hello);
    my $flight = Weir::TlsClient::first_flight($client);
    my ($got)  = $flight =~ /^(?:alert \d+|closed)$/ ? $flight : $flight =~ /([a-z]+\.test)/g;
    like $got, qr/^(?:$want)$/, $what;
    $client->close;
}

# What the variable holds is what was found, and never more than a name.
my $client = $w->tls(name => 'A.Wild.TEST.');
is $client->send_request('GET', '/', host => 'a.wild.test')->read_response->body, 'wild.test a.wild.test', 'the variable has it in one form';
$client->close;

# A name in the certificate's SAN with a NUL in it, as a client's: it is shown, never used as another.
is $w->get('/')->status, 400, 'and all the while the server stands';

done_testing;
