# Ten thousand servers of a group are changed one by one, a thousand a second, while requests go through it: none fails,
# and a request that needs no server is answered at once all the while.  (How long the worker is at one change's sets is
# measured in t/unit/upstream/members.c, where a busy machine does not count.)
use v5.36;
use lib 't/lib';
use JSON::PP ();
use List::Util qw(max);
use Time::HiRes qw(sleep time);
use Weir::Test;

my ($servers, $rate) = (10_000, 1000);
my $w    = Weir::Test->new('ten thousand servers are changed one by one under load')->needs_weir->descriptors_may_stay;
my $port = $w->port('back');
my @all  = map { sprintf '127.1.%d.%d:%d', $_ >> 8, $_ & 255, $port } 1 .. $servers;
$w->time_limit(170);
$w->conf(<<"END", workers => 1, main => 'worker_rlimit_nofile 8192;');
    access_log off; keepalive_requests 1000000;
    upstream many { @{[ map { "server $_;" } @all ]} }
    server { listen 0.0.0.0:$port reuseport; location / { return 200 "ok"; } }
    server { location / { proxy_pass http://many; } location /here { return 200 "here"; } }
END
$w->start;
my $stop = $w->dir . '/barrier.stop';

# Requests one after another: "requests FAILED", and the time that each took in order of size.
my $load = sub ($target, $body) {
    $w->child(sub {
        my ($failed, @took, $client) = (0);
        until (-e $stop) {
            $client //= $w->client;
            my $began  = time;
            my $answer = $client->send_request('GET', $target)->read_response(method => 'GET');
            push @took, time - $began;
            $failed++ unless $answer->status == 200 && $answer->body eq $body;
            sleep 0.0005;
        }
        @took = sort { $a <=> $b } @took;
        printf STDERR "%d %d %.6f %.6f %.6f\n", scalar @took, $failed, $took[ @took / 2 ], $took[ @took * 0.95 ], $took[-1];
    });
};
my @loads = ($load->('/', 'ok'), $load->('/here', 'here'));

my $control = $w->control_client;
my $wrong   = 0;
my $path    = '/v1/upstreams/many/servers';
my $ask     = sub (@requests) {
    $control->write(join '', map { $control->encode(@$_) } @requests);
    for (@requests) { my (undef, $answer) = $control->read; $wrong++ unless $answer->{ok} && !$answer->{late} }
};
my $began = time;
my $done  = 0;
# Each third is removed and comes back with another weight, each third changes its weight, each third goes down and up.
while ($done < $servers) {
    my @batch = @all[$done .. $done + 9];
    my $kind  = $done / 10 % 3;
    $ask->(map { $kind == 0 ? [ DELETE => "$path/$_" ]
                            : [ PATCH => "$path/$_", ({ weight => 3 }, { down => JSON::PP::true })[$kind - 1] ] } @batch);
    $ask->(map { $kind == 0 ? [ POST => $path, { server => $_, weight => 2 } ]
                            : [ PATCH => "$path/$_", ({ max_fails => 5 }, { down => JSON::PP::false })[$kind - 1] ] } @batch);
    $done += 10;
    my $due = $began + 2 * $done / $rate - time;
    sleep $due if $due > 0;
}
my $took = time - $began;
is $wrong, 0, 'all changes are made, and each is in force when it is answered';
diag sprintf '%d changes in %.1f s', 2 * $servers, $took;
$w->pass('stop');
my %seen = map { my ($name, $end) = ($_, shift @loads); my (undef, $said) = $end->(20); ($name => [ split ' ', $said ]) } qw(through here);
diag sprintf '%s: %d requests, median %.2f ms, 95 %% %.2f ms, at most %.2f ms', $_, $seen{$_}[0], map { 1000 * $_ } $seen{$_}->@[2 .. 4]
    for sort keys %seen;
is $seen{$_}[1], 0, "$_: no request failed" for sort keys %seen;
cmp_ok $seen{$_}[0], '>', 500, "$_: of many" for sort keys %seen;
cmp_ok $seen{here}[2], '<', 0.005, 'half of the requests that need no server take less than 5 ms, whatever else runs';

done_testing;
