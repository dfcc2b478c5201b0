use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('weights are kept and spread out');
my ($x, $y, $z) = map { my $name = $_; $w->origin(sub ($c) { $c->reply(200, $name) }) } qw(x y z);
$w->conf(<<"END", workers => 1);
    upstream weighted { server $x weight=5; server $y; server $z; }
    upstream even     { server $x; server $y; server $z; }
    server {
        location /weighted { proxy_pass http://weighted; }
        location /even     { proxy_pass http://even; }
    }
END

my $client = $w->client;
is join('', map { $client->get('/weighted')->body } 1 .. 14), 'xxyxzxx' x 2, 'five of seven, never more than two in a row inside a round';
is join('', map { $client->get('/even')->body } 1 .. 6), 'xyzxyz', 'equal weights take turns';

done_testing;
