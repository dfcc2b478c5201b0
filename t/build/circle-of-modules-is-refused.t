# Modules that wait for one another in a circle are refused by configure, with their names.
use v5.36;
use lib 't/lib';
use Test::More;
use Weir::Build;

my $tree = Weir::Build->new;
$tree->module('http', 'a', after => 'http_c');
$tree->module('http', 'b', after => 'http_a');
$tree->module('http', 'c', after => 'http_b');
$tree->module('http', 'bystander', after => 'http_a');

my ($status, $said) = $tree->sh('./configure');
is $status, 1, 'configure fails';
like $said, qr/^configure: modules go round in a circle: /m, 'and says why';
like $said, qr/http_$_\b/, "http_$_ is named" for qw(a b c);
unlike $said, qr/bystander/, 'one that only waits for the circle is not';

($status, $said) = $tree->sh('./configure --without-http_b');
is $status, 0, 'the circle broken, it is fine';

done_testing;
