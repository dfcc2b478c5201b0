use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('max_headers limits their number');
$w->needs_weir;
$w->conf('max_headers 10; server { location / { return 200 ok; } }');

is $w->get('/', map { ("X-$_" => 'y') } 1 .. 8)->status, 200, 'ten';
is $w->get('/', map { ("X-$_" => 'y') } 1 .. 9)->status, 431, 'eleven';

done_testing;
