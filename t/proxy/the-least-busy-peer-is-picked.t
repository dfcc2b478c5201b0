# least_conn: a request goes to the peer that has the fewest under way, also after a reload; two ways to choose in one upstream are refused.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('the least busy peer is picked');
my $dir  = $w->dir;
my $slow = sub ($name) { sub ($c) { if ($c->request->target =~ /wait/) { select undef, undef, undef, 0.01 until -e "$dir/go" } $c->reply(200, $name) } };
my $a    = $w->origin($slow->('a'));
my $b    = $w->origin($slow->('b'));
$w->conf(<<"END", workers => 1);
    upstream both { least_conn; server $a; server $b; }
    server { location / { proxy_pass http://both; } }
END
my @waiting = map { $w->client->send_request('GET', "/wait$_") } 1 .. 3;
$w->wait_until('three requests are under way', sub { $a->requests + $b->requests == 3 });
is abs($a->requests - $b->requests), 1, 'three requests are spread two and one';
my $free = $a->requests < $b->requests ? 'a' : 'b';
is $w->get('/quick')->body, $free, 'the next goes to the one with fewer';
is $w->get('/quick')->body, $free, 'and the next, as that one has ended';
$w->reload;
is $w->get('/quick')->body, $free, 'after a reload those under way still count';
$w->write_file('go', '');
is $_->read_response->status, 200, 'a request that waited is answered' for @waiting;
my %turns;
$turns{ $w->get('/quick')->body }++ for 1 .. 10;
is $turns{a}, 5, 'equals have turns';
done_testing;
