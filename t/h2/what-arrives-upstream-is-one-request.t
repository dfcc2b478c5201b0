use v5.36;
use lib 't/lib';
use Weir::Test ();
use Test::More;
use Weir::Http2 ':all';
use Weir::Http2Cases;

my $t = Weir::Http2Cases->new('what arrives upstream is one request');

my @get  = Weir::Http2::request_fields();
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');
my $open = headers(1, 'END_HEADERS', @post);                       # stream 1 is open
my $half = headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/hold'));    # half closed, not answered

my $q = sub (@more) { headers(1, 'END_STREAM END_HEADERS', Weir::Http2::request_fields(':path' => '/echo?a=1'), @more) };
my $one = sub ($seen, $name) { join '|', $seen->header($name) };
$t->served('the line', $q->(), sub ($seen) { $seen->{line} eq 'GET /echo?a=1 HTTP/1.1' ? () : $seen->{line} });
$t->served('§8.2.3 crumbs of a cookie', $q->(cookie => 'a=1', 'x-a' => 1, cookie => 'b=2', cookie => 'c=3'), sub ($seen) { $one->($seen, 'cookie') eq 'a=1; b=2; c=3' ? () : $one->($seen, 'cookie') });
$t->served('fields that repeat, in order', $q->('x-a' => 1, 'x-a' => 2), sub ($seen) { $one->($seen, 'x-a') eq '1|2' ? () : $one->($seen, 'x-a') });
$t->served('high bytes are opaque', $q->('x-a' => "\xe4\xff"), sub ($seen) { $one->($seen, 'x-a') eq "\xe4\xff" ? () : $one->($seen, 'x-a') });
$t->served('an empty value', $q->('x-a' => ''), sub ($seen) { defined $seen->header('x-a') ? () : 'gone' });
$t->served('names with lines below are dropped as over HTTP/1', $q->('x_forwarded_for' => 'x'), sub ($seen) { $one->($seen, 'x_forwarded_for') eq '' ? () : 'there' });

$t->done;
