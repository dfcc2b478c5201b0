# Rows of statistics belong to what the configuration in use names: what is gone is not shown, its rows go to what comes, and what finds none is told.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w = Weir::Test->new('statistics of what is gone make room')->needs_weir;
my $conf = sub ($first, $n = 20) {
    my $servers = join ' ', map { 'server 127.0.0.1:' . ($first + $_) . ';' } 1 .. $n;
    return "upstream many { $servers } server { location / { proxy_pass http://many; } location /status { status; } location /metrics { prometheus; } }";
};
my $peers = sub { [ sort keys decode_json($w->get('/status')->body)->{upstreams}{many}{peers}->%* ] };

$w->conf($conf->(20000), workers => 2, main => 'statistics_rows 64;');
for my $round (0 .. 6) {
    my $first = 20000 + 100 * $round;
    $w->reload($conf->($first)) if $round;
    is_deeply $peers->(), [ map { '127.0.0.1:' . ($first + $_) } 1 .. 20 ], "configuration $round has its peers, and no others";
}
my @shown = $w->get('/metrics')->body =~ /^weir_peer_requests_total\{upstream="many",peer="([^"]+)"\}/mg;
is_deeply [ sort @shown ], $peers->(), 'Prometheus has the same';
unlike $w->error_log, qr/is used up/, 'nothing was refused';

$w->allow_log(qr/statistics_rows 64 is used up/);
$w->reload($conf->(30000, 70));
$w->wait_for_log(qr{statistics_rows 64 is used up: "many/127\.0\.0\.1:300\d\d" and what comes after it is counted as "_other"});
cmp_ok scalar $peers->()->@*, '<', 70, 'of more than there is room for some have none';
$w->reload($conf->(40000));
is scalar $peers->()->@*, 20, 'and it is over when there is room again';

done_testing;
