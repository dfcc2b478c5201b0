# One server, route or upstream of WEIR_CHURN_SERVERS (1000) changes each second for WEIR_SOAK_SECONDS (18): WEIR_CHURN_WEBSOCKETS (300), as many
# kept-alive connections as WEIR_CHURN_CLIENTS (60), HTTP/2, a gRPC call, a download and an upload that last notice nothing, a second later there
# are two configurations in memory, and memory and descriptors stay what they were.  How long requests took with and without is said, not asserted.
use v5.36;
use lib 't/lib';
use Weir::Churn;
use Weir::Test;

my $seconds    = $ENV{WEIR_SOAK_SECONDS} // 18;
my $websockets = $ENV{WEIR_CHURN_WEBSOCKETS} // 300;
my $clients    = $ENV{WEIR_CHURN_CLIENTS} // 60;
my $w          = Weir::Test->new('a change a second among a thousand servers is not noticed')->needs_weir;
$w->time_limit(3 * $seconds + 240);
my $churn = Weir::Churn->new($w, servers => $ENV{WEIR_CHURN_SERVERS} // 1000, connections => $websockets + $clients + 4096);
$w->conf($churn->text, workers => 2);
my $quiet = $seconds / 3;
$churn->start(websockets => $websockets, clients => $clients, seconds => int($quiet + $seconds + 3));

my @pids   = $w->workers;
my $before = $churn->phase('quiet', $quiet);
my $reload = sub ($n) { $w->reload($churn->change->text) };
my $warm   = $churn->phase('warm', $seconds / 3, $reload);
my $after  = $churn->phase('churn', $seconds - $seconds / 3, $reload);

is $after->{errors}, 0, "of $websockets WebSockets and $clients kept-alive connections none was closed, no request failed";
cmp_ok $after->{requests}{n}, '>', 10, "$after->{requests}{n} requests";
cmp_ok $after->{messages}{n}, '>', 10, "$after->{messages}{n} messages";
is $after->{renewed}, 0, 'no client was asked to come again';
cmp_ok $after->{generations}, '<=', 2, "$after->{changes} changes; a second after each at most $after->{generations} configurations in a worker";
is join(' ', $w->workers), join(' ', @pids), 'in the same processes';
my $most = (sort { $b <=> $a } $after->{descriptors}->@*)[0];
cmp_ok $most, '<=', (sort { $b <=> $a } $warm->{descriptors}->@*)[0] * 1.05 + 16, "descriptors of the workers: at most $most";
SKIP: {
    skip "a sanitizer's memory is not Weir's", 1 if $w->is_sanitized;
    my ($first, $last) = ((sort { $b <=> $a } $warm->{memory}->@*)[0], (sort { $b <=> $a } $after->{memory}->@*)[0]);
    cmp_ok $last, '<=', $first * 1.1, "memory of the workers: $first KiB while warming up, then at most $last KiB";
}
for my $what (qw(requests messages)) {
    diag sprintf '%s: quiet p50 %d p99 %d p99.9 %d us; with changes p50 %d p99 %d p99.9 %d us: p99 %.2f times', $what,
        (map { $_->{$what}->@{qw(p50 p99 p999)} } $before, $after), $after->{$what}{p99} / ($before->{$what}{p99} || 1);
}
diag sprintf 'CPU of all processes: quiet %.2f, with changes %.2f of a second each second; the longest change took %.0f ms', $before->{cpu} / $quiet,
    $after->{cpu} / ($seconds - $seconds / 3), 1000 * $after->{took};
$churn->end;

done_testing;
