# Under load, WEIR_SOAK_UPGRADES (20) upgrades to another program and five times as many reloads: no failed request, and what was counted
# before is counted on, exactly.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Load;
use Weir::Store;
use Weir::Test;

my $upgrades = $ENV{WEIR_SOAK_UPGRADES} // 20;
my $w        = Weir::Test->new('upgrades and reloads under load')->workers_may_change;
$w->time_limit(60 + 15 * $upgrades);
Weir::Store::not_at_the_end_of_a_month();

my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    $request->target =~ /chunked/ ? $c->reply_chunked(200, [ $request->body, $request->target ]) : $c->reply(200, $request->body . $request->target);
});
my $room = 3 * 6 * $upgrades;
my $conf = sub ($n) { my $odd = $n % 2 ? "listen 127.0.0.1:%%PORT_odd%%; location /odd { return 204; }" : ''; <<"END" };
    upstream api { server $origin; keepalive 16; keepalive_requests 100000; }
    keepalive_requests 100000;
    access_log logs/access.log combined buffer=64k flush=1s;
    quota_zone \$arg_k zone=month:1m per=month;
    limit_req_zone \$arg_k zone=rate:1m rate=1r/m;
    server {
        location / { proxy_pass http://api; }
        location /streamed { proxy_pass http://api; proxy_request_buffering off; }
        location /here { return 200 "generation $n of \$request_uri"; }
        location /quota { quota zone=month limit=$room; proxy_pass http://api; }
        location /rate { limit_req zone=rate burst=@{[ $room - 1 ]} nodelay; proxy_pass http://api; }
    }
    server { listen 127.0.0.1:%%PORT_even%%; $odd location / { return 204; } }
END
$w->conf($conf->(0), main => "store_path store;\n");
$w->start;
my $stop    = $w->dir . '/barrier.stop';
my @loaders = map { my $number = $_; $w->child(sub { Weir::Load::run($w, $stop, $number) }) } 1 .. 2;
my $many    = $w->background('wrk', '-t1', '-c32', '-d', int(2 + $upgrades / 2) . 's', 'http://127.0.0.1:' . $w->port . '/here');

my (%is, %pids, $slowest, $n);
my $count = sub () { $is{"$_ " . $w->get("/$_?k=a")->status}++ for qw(quota rate) };
$slowest = 0;
for my $upgrade (1 .. $upgrades) {
    for (1 .. 5) {
        $w->reload($conf->(++$n));
        $count->() for 1 .. 3;
    }
    my $started = time;
    my ($code, $said) = $w->tool(qw(-s upgrade));
    is $code, 0, "upgrade $upgrade" or diag $said;
    $w->wait_until('another master', sub { eval { $w->taken_over } });
    $slowest = time - $started if time - $started > $slowest;
    $pids{ $w->pid }++;
    $count->() for 1 .. 3;
}
$count->() for 1 .. 3;
$w->pass('stop');
for my $loader (@loaders) {
    my (undef, $said) = $loader->(30);
    my ($requests, $reconnects) = $said =~ /^requests (\d+) reconnects (\d+)$/m;
    ok $requests, "a loader made $requests requests, none failed, $reconnects polite closes" or diag $said;
}
my (undef, $said) = $many->(30 + $upgrades);
my ($all) = $said =~ /(\d+) requests in/;
ok $all > 1000, "wrk made $all more";
unlike $said, qr/Socket errors|Non-2xx/, 'none failed';
is keys %pids, $upgrades, "$upgrades masters, one after the other, the slowest change took " . int(1000 * $slowest) . ' ms';
is $is{'quota 200'}, $room, "of $room in a quota all were admitted";
is $is{'quota 429'}, 3, 'and no more';
# One a minute comes back meanwhile.
cmp_ok $is{'rate 200'}, '>=', $room, "of $room in a burst all were admitted";
cmp_ok $is{'rate 200'}, '<=', $room + 3, 'and no more than came back meanwhile';

done_testing;
