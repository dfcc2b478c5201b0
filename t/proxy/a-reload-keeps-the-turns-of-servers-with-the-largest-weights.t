use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a reload keeps the turns of servers with the largest weights');
my ($x, $y, $z) = map { my $name = $_; $w->origin(sub ($c) { $c->reply(200, $name) }) } qw(x y z);
my $conf = sub ($more = '') {
    return "upstream api { server $x weight=4294967295; server $y weight=4294967295; $more } server { location / { proxy_pass http://api; } }";
};
$w->conf($conf->(), workers => 1);
is join('', map { $w->get('/')->body } 1 .. 4), 'xyxy', 'they take turns';

$w->reload($conf->("server $z;"));
is join('', map { $w->get('/')->body } 1 .. 4), 'xyxy', 'and do so beside a new server with a weight of 1';

done_testing;
