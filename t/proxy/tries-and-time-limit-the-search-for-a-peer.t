use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('tries and time limit the search for a peer');
my @closes = map { $w->origin(sub ($c) { $c->close }) } 1 .. 4;
my @slow   = map { $w->origin(sub ($c) { select undef, undef, undef, 0.12; $c->close }) } 1 .. 4;
my $closes = join ' ', map { "server $_ max_fails=0;" } @closes;
my $slow   = join ' ', map { "server $_ max_fails=0;" } @slow;
$w->conf(<<"END", workers => 1);
    upstream closes { $closes keepalive 0; }
    upstream slow   { $slow keepalive 0; }
    server {
        location /all   { proxy_pass http://closes; }
        location /two   { proxy_pass http://closes; proxy_next_upstream_tries 2; }
        location /one   { proxy_pass http://closes; proxy_next_upstream_tries 1; }
        location /time  { proxy_pass http://slow; proxy_next_upstream_timeout 200ms; }
    }
END

my $asked = sub (@origins) { my $n = 0; $n += $_->requests for @origins; return $n };
my $client = $w->client;
my $before = 0;
for my $case ([ all => 4 ], [ two => 2 ], [ one => 1 ]) {
    my ($way, $tries) = @$case;
    is $client->get("/$way")->status, 502, "$way: 502";
    is $asked->(@closes) - $before, $tries, "$way: $tries asked";
    $before = $asked->(@closes);
}
is $client->get('/time')->status, 502, 'time: 502';
is $asked->(@slow), 2, 'no other after 200 ms';

done_testing;
