# An answer that did not need the body leaves none of it behind.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a request ends where its length says');
$w->conf('server { location / { return 200 own; } location /next { return 200 next; } location /evil { return 200 evil; } }');

my $inside = "GET /evil HTTP/1.1\r\nHost: localhost\r\n\r\n";
my $next   = "GET /next HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
for my $bytes ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " . length($inside) . "\r\n\r\n$inside",
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    . sprintf("%x\r\n%s\r\n0\r\n\r\n", length $inside, $inside))
{
    for my $at (10, length($bytes) - length($inside) + 3, length($bytes) - 1) {
        my @bodies = map { $_->body } $w->client->send_split("$bytes$next", $at)->read_responses;
        is $bodies[0], 'own', 'the answer';
        ok @bodies == 1 || $bodies[1] eq 'next', 'then the next request or the end' or diag "@bodies";
        ok !(grep { $_ eq 'evil' } @bodies), 'never the body';
    }
}

done_testing;
