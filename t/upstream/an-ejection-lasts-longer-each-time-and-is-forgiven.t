# The time of an ejection grows with how often the server was ejected, up to a bound, and each interval that it is well
# for makes it shorter again.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('an ejection lasts longer each time, and is forgiven')->needs_weir;
my $fine = "$w->{dir}/fine";
my $good = $w->origin(sub { shift->reply(200, 'ok') });
my $sick = $w->origin(sub ($c) { -e $fine ? $c->reply(200, 'well') : $c->reply(503, 'sick') });
my $conf = <<"END";
    upstream all { server $good; server $sick max_fails=0; outlier_detection consecutive_5xx=1 base_ejection_time=100ms max_ejection_time=250ms interval=1h; }
    server { location / { proxy_pass http://all; } location /status { status; } }
END
$w->conf($conf);
my $peer = sub { decode_json($w->get('/status')->body)->{upstreams}{all}{peers}{"$sick"} };
my @lasts;
while (@lasts < 5) {
    $w->wait_until('it is asked again', sub { $w->get('/try'); $sick->requests > @lasts });
    push @lasts, 1;
}
$w->wait_until('five are told', sub { @lasts = $w->error_log =~ /ejected for ([\d.]+)s/g; @lasts == 5 });
is "@lasts", '0.100 0.200 0.250 0.250 0.250', 'longer each time, up to the bound';
is $peer->()->{outlier_detection}{times}, 4, 'and the number of times is bounded, too';
is $peer->()->{outlier_detection}{ejections}{consecutive_5xx}, 5, 'five ejections';

$w->write_file('fine', '');
$w->wait_until('it comes back', sub { $peer->()->{state} eq 'up' });
is $peer->()->{outlier_detection}{times}, 4, 'within the interval nothing is forgiven';
$w->reload($conf =~ s/interval=1h/interval=50ms/r);
$w->wait_until('intervals in which it is well forgive all', sub { $w->get('/well'); $peer->()->{outlier_detection}{times} == 0 });
my $before = length $w->error_log;
unlink $fine;
$w->wait_until('it is ejected once more', sub { $w->get('/again'); substr($w->error_log, $before) =~ /ejected for 0\.100s/ });
pass 'for as long as the first time';

done_testing;
