# Failures in a row are counted over four workers exactly; the end of an interval is judged although workers are killed all
# the time, by one of them.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Test;

my $w    = Weir::Test->new('an interval is judged though workers die')->needs_weir->workers_may_change;
my @good = map { $w->origin(sub { shift->reply(200, 'ok') }) } 1 .. 3;
my $some = $w->origin(sub ($c) { $c->reply(rand() < 0.5 ? 500 : 200, 'some') });
my $bad  = $w->origin(sub { shift->reply(500, 'bad') });
my $list = join ' ', map { "server $_ max_fails=0;" } @good;
$w->conf(<<"END", workers => 4);
    upstream row  { $list server $bad max_fails=0; outlier_detection consecutive_5xx=37 base_ejection_time=1h; }
    upstream part { $list server $some max_fails=0;
                    outlier_detection consecutive_5xx=0 success_rate=off failure_percentage=30% failure_percentage_hosts=4 failure_percentage_requests=8
                                      interval=300ms base_ejection_time=1h; }
    server { location /row { add_header X-Pid \$pid always; proxy_pass http://row; } location /part { proxy_pass http://part; } location /status { status; } }
END
$w->allow_log(qr/worker process|signal/);
my $told = sub ($group) { decode_json($w->get('/status')->body)->{upstreams}{$group} };

my %pids;
$pids{ $w->get('/row')->header('X-Pid') }++ for 1 .. 200;
cmp_ok scalar keys %pids, '>', 1, 'several workers served';
is $bad->requests, 37, '37 failures in a row, counted by all of them';
is $told->('row')->{outlier_detection}{ejections}{consecutive_5xx}, 1, 'eject once';

my $stop = "$w->{dir}/stop";
my @load = map { $w->child(sub { until (-e $stop) { eval { $w->get('/part') } or sleep 0.01 } }) } 1 .. 3;
my $n = 0;
for (my $next = time + 0.1; $n == 0;) {
    $n = eval { $told->('part')->{outlier_detection}{ejected} } // $n;
    next if time < $next;
    my @workers = $w->workers;
    kill KILL => $workers[ rand @workers ] if @workers;
    $next = time + 0.1;
}
$w->write_file('stop', '');
$_->(20) for @load;
$w->wait_until('four workers are there', sub { 4 == $w->workers });
my $part = $told->('part');
is_deeply [ grep { "@{ $part->{peers}{$_}{barred} }" =~ /ejected/ } keys $part->{peers}->%* ], ["$some"], 'half of its requests failed: it is ejected';
cmp_ok $part->{outlier_detection}{ejections}{failure_percentage}, '<=', 1, 'once';

done_testing;
