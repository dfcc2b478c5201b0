use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a directive can be asked about');
$w->needs_weir;

my ($code, $output) = $w->run('-h', 'client_max_body_size');
is $code, 0, 'known';
like $output, qr/client_max_body_size/, 'its name';
like $output, qr/1m/, 'its default';
like $output, qr/http.*server.*location/s, 'where it may stand';
($code, $output) = $w->run('-h', 'client_max_body_siez');
isnt $code, 0, 'unknown';
like $output, qr/client_max_body_size/, 'the nearest name';

done_testing;
