# Of two servers of one group with the same address each has failures of its own: a reload that changes the group does not give the first one those of
# the second, in none of the workers.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a peer that stands twice stays failed over a reload')->needs_weir;
my $good = $w->origin(sub { shift->reply(200, 'ok') });
my $sick = $w->origin(sub ($c) { $c->close });
my $conf = <<"END";
    upstream all { server $good; server $sick fail_timeout=1h; server $sick down; }
    server { location / { proxy_pass http://all; } }
END
$w->conf($conf, workers => 2);
$w->allow_log(qr/temporarily disabled|upstream/);
is $w->get("/$_")->status, 200, "request $_" for 1 .. 4;
is $sick->requests, 1, 'it failed once, and is marked';
for my $weight (2 .. 4) {
    $w->reload($conf =~ s/server \Q$good\E;/server $good weight=$weight;/r);
    $w->get("/$_") for 1 .. 10;
    is $sick->requests, 1, "it is not asked after reload $weight";
}
done_testing;
