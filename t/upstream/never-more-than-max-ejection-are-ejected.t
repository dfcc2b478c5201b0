# Ten servers fail, and three of them at most may be ejected: four workers that are killed all the time eject no fourth,
# and none stays ejected when its time is over.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Test;

my $w    = Weir::Test->new('never more than max_ejection are ejected')->needs_weir->workers_may_change;
my $fine = "$w->{dir}/fine";
my @ten  = map { $w->origin(sub ($c) { -e $fine ? $c->reply(200, 'well') : $c->reply(500, 'bad') }) } 1 .. 10;
my $list = join ' ', map { "server $_ max_fails=0;" } @ten;
$w->conf(<<"END", workers => 4);
    upstream ten { $list outlier_detection consecutive_5xx=2 success_rate=off interval=100ms base_ejection_time=60ms max_ejection=30%; }
    server { location / { proxy_pass http://ten; } location /status { status; } }
END
$w->allow_log(qr/worker process|signal/);
$w->get('/');

my $stop = "$w->{dir}/stop";
my @load = map { $w->child(sub { until (-e $stop) { eval { $w->get('/load') } or sleep 0.01 } }) } 1 .. 3;
my ($looks, $most, $three) = (0, 0, 0);
for (my $next = time; $looks < 60 || $three < 5;) {           # the deadline is the test's
    my $told = eval { decode_json($w->get('/status')->body)->{upstreams}{ten} };        # none: its worker was killed
    if ($told) {
        my $n = grep { "@{ $_->{barred} }" =~ /ejected/ } values $told->{peers}->%*;
        $looks++;
        $most = $n if $n > $most;
        $three++ if $n == 3;
    }
    next if time < $next;
    my @workers = $w->workers;
    kill KILL => $workers[ rand @workers ] if @workers;
    $next = time + 0.1;
}
$w->write_file('stop', '');
$_->(20) for @load;
is $most, 3, 'never more than three are ejected';

$w->wait_until('four workers are there', sub { 4 == $w->workers });
$w->write_file('fine', '');
my $told;
# A group's numbers stand before those of its peers, and are read before them: the last one may come back between.
$w->wait_until('all have come back, and none is counted as ejected', sub {
    $told = decode_json($w->get('/status')->body)->{upstreams}{ten};
    $told->{outlier_detection}{ejected} == 0 && !grep { $_->{state} ne 'up' } values $told->{peers}->%*;
});
pass 'all have come back, and none is counted as ejected';
cmp_ok $told->{outlier_detection}{overflows}, '>', 0, 'what was prevented is counted';
my @logged = $w->error_log =~ /upstream server ejected for/g;
cmp_ok $told->{outlier_detection}{ejections}{consecutive_5xx}, '>=', 3, 'ejections are counted';
cmp_ok abs($told->{outlier_detection}{ejections}{consecutive_5xx} - @logged), '<=', 5, 'and logged, but for those of workers killed at it';

# What deaths have left of the number of ejected ones does not keep others from being ejected.
unlink $fine;
$w->wait_until('three are ejected again', sub {
    $w->get('/again') for 1 .. 10;
    3 == grep { "@{ $_->{barred} }" =~ /ejected/ } values decode_json($w->get('/status')->body)->{upstreams}{ten}{peers}->%*;
});
pass 'three are ejected again';
done_testing;
