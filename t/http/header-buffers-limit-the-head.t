use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('header buffers limit the head');
$w->conf('client_header_buffer_size 128; large_client_header_buffers 2 1k; server { location / { return 200 $http_x; } }');

my $with = sub ($n) { $w->get('/', X => 'x' x $n) };
is length $with->(900)->body, 900, 'a line that fits one buffer';
is $with->(1100)->status, 431, 'a line that does not';
is $w->get('/' . 'a' x 900)->status, 200, 'a request line that fits';
is $w->get('/' . 'a' x 1100)->status, 414, 'one that does not';
is $w->get('/', map { ("X-$_" => 'x' x 500) } 1 .. 8)->status, 431, 'lines that fit, but not all together';

done_testing;
