# RFC 9110 §9.3.2: the answer to HEAD has no content, also where the request's head was not read to its end.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a HEAD request that is refused early has no body either');
$w->conf("client_header_timeout 300ms; server { location / { return 200 ok; } }");

my $long = 'y' x 40_000;
my %refused = (
    'a field that is too long'        => [431, "HEAD / HTTP/1.1\r\nHost: a\r\nX: $long\r\n\r\n"],
    'a target that is too long'       => [414, "HEAD /$long HTTP/1.1\r\nHost: a\r\n\r\n"],
    'lines that end in LF alone'      => [400, "HEAD / HTTP/1.1\nHost: a\n\n"],
    'a head that does not end'        => [408, "HEAD / HTTP/1.1\r\nHost: a\r\n"],
    'a field that is no field'        => [400, "HEAD / HTTP/1.1\r\nHost: a\r\nno field\r\n\r\n"],
);
for my $what (sort keys %refused) {
    my ($status, $bytes) = $refused{$what}->@*;
    my $client = $w->client;
    my $head = $client->send($bytes)->read_response(method => 'HEAD');
    is $head->status, $status, "$what: $status";
    ok $client->at_eof, "$what: and not a byte of a body";
}
isnt $w->client->send("GET / HTTP/1.1\r\nHost: a\r\nX: $long\r\n\r\n")->read_response->body, '', 'GET has one';

done_testing;
