# random: every server is asked, by weight.  random two: of two servers the one with fewer requests under way for its
# weight is asked, and requests of all workers count.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w       = Weir::Test->new('random two picks the less busy of two')->needs_weir;
my $answers = sub ($name) { sub ($c) { $c->wait_for($name) if $c->request->target =~ /wait/; $c->reply(200, $name) } };
my ($a, $b, $c) = map { $w->origin($answers->($_)) } qw(a b c);
$w->conf(<<"END", workers => 4);
    upstream one { random; server $a weight=8; server $b; server $c; }
    upstream two { random two; server $a weight=2; server $b; }
    server {
        location /one { proxy_pass http://one; }
        location / { proxy_pass http://two; }
    }
END
my %seen;
$seen{ $w->get('/one')->body }++ for 1 .. 200;
is join(' ', sort keys %seen), 'a b c', 'random: each server is asked';
cmp_ok $seen{a}, '>', 120, 'the heaviest gets most: 160 are expected, and chance does not take it below 120';

my @waiting;
my ($at_a, $at_b) = ($a->requests, $b->requests);
for my $n (1 .. 12) {
    push @waiting, $w->client->send_request('GET', "/wait$n");
    $w->wait_until("$n under way", sub { $a->requests - $at_a + $b->requests - $at_b == $n });
}
is join(' ', $a->requests - $at_a, $b->requests - $at_b), '8 4', 'two: twelve under way are spread by weight';
$w->pass($_) for 'a', 'b';
is join(' ', sort map { $_->read_response->body } @waiting), 'a a a a a a a a b b b b', 'each is answered';
done_testing;
