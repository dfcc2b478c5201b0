# With proxy_request_buffering off: the head and some data may be up already; the origin must be able to tell that the rest is missing.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a malformed chunk in a streamed body never completes upstream');

my $head = "POST /stream/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
my %cases = (
    'second size bad'      => "5\r\nhello\r\n0x5\r\nhello\r\n0\r\n\r\n",
    'data end bad'         => "5\r\nhelloXX5\r\nhello\r\n0\r\n\r\n",
    'last chunk bad'       => "5\r\nhello\r\n0;\r\n\r\n",
    'bad trailer'          => "5\r\nhello\r\n0\r\nno colon\r\n\r\n",
    'LF for the end'       => "5\r\nhello\r\n0\r\n\n",
);
# The echo origin reads whole requests, so it answers none of these, and its parser counts a request only by its head.
for my $name (sort keys %cases) {
    $a->refused("$name", "$head$cases{$name}", 400, upstream => 1);
}
$a->refused('the client ends', "${head}5\r\nhello\r\n", 400, upstream => 1, end => 'fin');
$a->forwarded('a good one is streamed', "${head}5\r\nhello\r\n0\r\n\r\n",
    sub ($seen) { $seen->body eq 'hello' ? () : 'body' });

$a->done;
