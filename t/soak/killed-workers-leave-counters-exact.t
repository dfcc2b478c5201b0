# For WEIR_SOAK_SECONDS (60) a worker is killed at random every few hundred milliseconds, under load: only requests on connections of the killed
# fail, what a quota counted is between what was answered and what was sent, nobody is refused for requests that died, and gauges are 0 at the end.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(time sleep);
use Weir::Store;
use Weir::Test;

my $seconds = $ENV{WEIR_SOAK_SECONDS} // 60;
my $w       = Weir::Test->new('killed workers leave counters exact')->workers_may_change->allow_log(qr/exited on signal 9/);
$w->time_limit($seconds + 90);
Weir::Store::not_at_the_end_of_a_month();
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->header('X-Pid')) });
my $limit  = 1_000_000_000;
my ($n_loaders, $n_connections) = (3, 8);
$w->conf(<<"END", main => "store_path store;\n", workers => 3);
    quota_zone \$arg_k zone=month:1m per=month;
    limit_conn_zone \$arg_k zone=conn:64k;
    upstream api { server $origin; keepalive 16; }
    access_log off;
    keepalive_requests 1000000;
    server {
        listen 127.0.0.1:%%PORT_load%%;
        status_zone load;
        location / {
            limit_conn conn @{[ $n_loaders * $n_connections ]};
            quota zone=month limit=$limit;
            quota_headers on;
            proxy_set_header X-Pid \$pid;
            proxy_next_upstream off;
            proxy_pass http://api;
        }
    }
    server { location /status { status; } location / { return 200; } }
END
$w->start;
my $stop = $w->dir . '/barrier.stop';

# What it did, a line: sent, answered, wrong answers, and the worker of each connection that failed (0: it had had no answer yet).
sub load () {
    my ($sent, $answered, @wrong, @failed) = (0, 0);
    my (@connections, @worker);
    until (-e $stop) {
        for my $i (0 .. $n_connections - 1) {
            my $answer = eval {
                ($connections[$i], $worker[$i]) = ($w->client(port => 'load'), 0) unless $connections[$i];
                $sent++;
                $connections[$i]->send_request('GET', '/?k=load')->read_response;
            };
            if (!$answer) {
                push @failed, $worker[$i];
                $connections[$i]->close if $connections[$i];
                undef $connections[$i];
                sleep 0.001;
                next;
            }
            if ($answer->status != 200 || $answer->body !~ /^\d+$/ || ($worker[$i] && $worker[$i] != $answer->body)) {
                push @wrong, $answer->status;
            }
            $worker[$i] = $answer->body;
            $answered++;
            if (lc($answer->header('Connection') // '') eq 'close') {      # it came by a socket lent to another worker, which has gone back
                $connections[$i]->close;
                undef $connections[$i];
            }
        }
    }
    print STDERR "sent $sent answered $answered wrong=@wrong failed=@failed\n";
}
my @loaders = map { $w->child(\&load) } 1 .. $n_loaders;

my (%killed, $kills);
srand 11;
my $until = time + $seconds;
while (time < $until) {
    sleep 0.1 + rand 0.3;
    my @workers = $w->workers or next;
    my $pid = $workers[ rand @workers ];
    $killed{$pid} = 1;
    $kills++;
    kill 'KILL', $pid;
}
$w->pass('stop');
my ($sent, $answered, @failed, @wrong) = (0, 0);
for my $loader (@loaders) {
    my (undef, $said) = $loader->(30);
    my ($its_sent, $its_answered, $its_wrong, $its_failed) = $said =~ /^sent (\d+) answered (\d+) wrong=(.*) failed=(.*)$/m or die $said;
    $sent += $its_sent;
    $answered += $its_answered;
    push @wrong, split ' ', $its_wrong;
    push @failed, split ' ', $its_failed;
}
$w->wait_until('three workers', sub { $w->workers == 3 });
my $zone = sub () { decode_json($w->get('/status')->body)->{server_zones}{load} };
$w->wait_until('nothing is under way', sub { my $is = eval { $zone->() }; $is && $is->{processing} == 0 });
my ($left) = $w->request('GET', '/?k=load', port => 'load')->header('RateLimit') =~ /;r=(\d+);/;
my $used = $limit - $left - 1;
my $is   = $zone->();
note "$kills kills, $sent sent, $answered answered, " . @failed . " failed, $used in the quota, $is->{requests} in the statistics";
ok $answered > 20 * $seconds, "there was load: $answered answers";
is "@wrong", '', 'no answer was wrong, and nobody was refused';
is +(grep { $_ && !$killed{$_} } @failed), 0, 'only on connections of the killed did requests fail';
cmp_ok scalar @failed, '<=', $kills * $n_loaders * $n_connections, 'of each connection one';
cmp_ok $used, '>=', $answered, 'what was answered is in the quota';
cmp_ok $used, '<=', $sent, 'and nothing that was not sent';
# A worker that is killed between an answer and its count takes that one count along.
cmp_ok $is->{requests}, '>=', $answered - $kills, 'what was answered is in the statistics';
cmp_ok $is->{requests}, '<=', $sent + 1, 'and nothing that was not sent';
like +($w->tool(qw(zones)))[1], qr/^limit-conn +conn +\d+ +keys=0 /m, 'nobody holds anything';

done_testing;
