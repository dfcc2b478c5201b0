# least_time inflight with hedge: of a request that is with two servers at once each has its own time, whichever wins.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w     = Weir::Test->new('least_time holds when a request is with two servers')->needs_weir;
my $slow  = $w->origin(sub ($c) { select undef, undef, undef, 0.3; $c->reply(200, 'slow') });
my $hangs = $w->origin(sub ($c) { select undef, undef, undef, $c->request->target =~ /hang/ ? 5 : 0; $c->reply(200, 'quick') });
$w->conf(<<"END", workers => 1);
    upstream both { least_time header inflight; server $slow; server $hangs; }
    server {
        location / { proxy_pass http://both; hedge after=50ms budget=100%; add_header X-Pid \$pid; }
        location /status { status; }
    }
END
my %pids;
for my $n (1 .. 6) {
    my $answer = $w->get($n % 2 ? "/hang$n" : "/$n");
    is $answer->status, 200, "request $n is answered by the one that is first";
    $pids{ $answer->header('X-Pid') } = 1;
}
is scalar keys %pids, 1, 'by the same worker';
my $peers = decode_json($w->get('/status')->body)->{upstreams}{both}{peers};
cmp_ok $peers->{"$slow"}{least_time}{average_seconds}, '>=', 0.3, 'the time of the second try is counted from its own beginning';
cmp_ok $peers->{"$slow"}{least_time}{average_seconds}, '<', 3, 'and not from anything else';
$w->wait_until('nothing is under way', sub { 0 == grep { $_->{active} } values decode_json($w->get('/status')->body)->{upstreams}{both}{peers}->%* });
done_testing;
