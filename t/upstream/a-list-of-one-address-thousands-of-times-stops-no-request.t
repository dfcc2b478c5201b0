# A list that has one address thousands of times is taken up as fast as another: no worker stands still for it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a list of one address thousands of times stops no request')->needs_weir;
my ($a, $b) = map { my $name = $_; $w->origin(sub { shift->reply(200, $name) }) } 'a', 'b';
my $list = $w->dir . '/list';
my $say = sub ($text) { $w->write_file('list.new', $text); rename "$list.new", $list or die };
$say->("server $a;\n");
$w->conf("upstream api { servers_file $list interval=100ms; } server { location / { proxy_pass http://api; } }", workers => 1);
is $w->get('/')->body, 'a', 'a list';
$say->("server $b;\n" x 9_999);
$w->wait_until('another one of one address is taken up', sub { $w->get('/')->body eq 'b' });
is $w->get('/')->body, 'b', 'and the worker serves';
done_testing;
