# CL.0: GET, HEAD, OPTIONS and DELETE may have a body; it is read as a body and sent on as one, and what follows is the next request.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a body on any method is never left on the wire');

my $inside = "GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n";
for my $method (qw(GET OPTIONS DELETE PATCH PROPFIND MKCOL)) {
    my $same = sub ($seen) {
        return (($seen->method eq $method ? () : 'method ' . $seen->method),
            ($seen->body eq $inside ? () : 'body ' . show($seen->body)));
    };
    $a->forwarded("$method with a length",
        "$method / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " . length($inside) . "\r\n\r\n$inside", $same);
    $a->forwarded("$method, chunked",
        "$method / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        . sprintf("%x\r\n%s\r\n0\r\n\r\n", length $inside, $inside), $same);
}

# Nothing of it was taken for a request, whatever was asked.
$a->w->client->send("HEAD / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " . length($inside)
    . "\r\n\r\n$inside")->read_response(method => 'HEAD');
is_deeply [ grep { m{/admin} } $a->origin->lines ], [], 'nothing asked for /admin';

$a->done;
