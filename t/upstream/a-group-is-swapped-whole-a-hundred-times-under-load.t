# All thousand servers of a group are exchanged for others, a hundred times, while requests go through it: by reloads and by
# changes at run time in turn.  No request fails.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(sleep);
use Weir::Test;

my ($servers, $swaps) = (1000, 100);
my $w    = Weir::Test->new('a group is swapped whole a hundred times under load')->needs_weir->descriptors_may_stay;
my $port = $w->port('back');
my @side = map { my $net = $_; [ map { sprintf '127.%d.%d.%d:%d', $net, $_ >> 8, $_ & 255, $port } 1 .. $servers ] } 2, 3;
my $conf = sub ($side) { <<"END" };
    access_log off; keepalive_requests 1000000;
    upstream many { @{[ map { "server $_;" } $side[$side]->@* ]} }
    server { listen 0.0.0.0:$port reuseport; location / { return 200 "ok"; } }
    server { location / { proxy_pass http://many; } }
END
$w->time_limit(170);
$w->conf($conf->(0), workers => 2, main => 'worker_rlimit_nofile 8192;')->start;
my $stop  = $w->dir . '/barrier.stop';
my @loads = map {
    $w->child(sub {
        my ($requests, $failed, $client) = (0, 0);
        until (-e $stop) {
            $client //= $w->client;
            my $answer = $client->send_request('GET', '/')->read_response(method => 'GET');
            $requests++;
            $failed++ unless $answer->status == 200 && $answer->body eq 'ok';
            undef $client unless $answer->is_kept;
            sleep 0.0005;
        }
        print STDERR "$requests $failed\n";
    });
} 1 .. 2;

my ($now, $wrong) = (0, 0);
my $control = $w->control_client;
my $ask = sub (@requests) {
    while (my @some = splice @requests, 0, 50) {
        $control->write(join '', map { $control->encode(@$_) } @some);
        for (@some) { my (undef, $answer) = $control->read; $wrong++ unless $answer->{ok} && !$answer->{late} }
    }
};
my $servers_path = '/v1/upstreams/many/servers';
my $add    = sub ($server) { [ POST => $servers_path, { server => $server } ] };
my $remove = sub ($server) { [ DELETE => "$servers_path/$server" ] };
for my $swap (1 .. $swaps) {
    if ($swap % 10) {
        $w->reload($conf->($now = 1 - $now));
        next;
    }
    # the others come, these go; then the configuration is as it was, and so is the group
    $ask->(map { $add->($_) } $side[1 - $now]->@*);
    $ask->(map { $remove->($_) } $side[$now]->@*);
    $ask->(map { $add->($_) } $side[$now]->@*);
    $ask->(map { $remove->($_) } $side[1 - $now]->@*);
}
is $wrong, 0, 'every change is made, and in force when it is answered';
$w->pass('stop');
for my $load (@loads) {
    my (undef, $said) = $load->(20);
    my ($requests, $failed) = $said =~ /^(\d+) (\d+)$/m or diag $said;
    is $failed, 0, 'no request failed';
    cmp_ok $requests, '>', 300, 'of many';
}

done_testing;
