# The count that shares are made of lies in shared memory: who dies takes nothing of it along.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('shares stay exact when a worker is killed');
my $origin = $w->origin;
$w->workers_may_change->descriptors_may_stay->allow_log(qr/exited on signal 9/);
$w->conf("server { location / { proxy_pass http://$origin weight=3; return 503 weight=2; } }");
my %n;
$n{ $w->get('/')->status }++ for 1 .. 7;
my @before = $w->workers;
kill KILL => $before[0];
$w->wait_until('a successor', sub { my @now = $w->workers; @now == 2 && !grep { $_ == $before[0] } @now });
$n{ $w->get('/')->status }++ for 1 .. 13;
is_deeply \%n, { 200 => 12, 503 => 8 }, 'of twenty requests with a death between';

done_testing;
