# While a reload is under way, any number of requests for one more become one more.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes;
use Weir::Test;

my $w = Weir::Test->new('reloads that come together become one')->needs_weir;
my $routes = join "\n", map { "location /$_/ { return 200 'route $_'; }" } 1 .. 3000;
$w->conf("server { $routes location / { return 200 'old'; } }");
$w->start;
my @before = $w->workers;
my $mark   = length $w->error_log;

for (1 .. 50) {
    $w->signal('HUP');
    Time::HiRes::sleep(0.002);
}
$w->reload("server { $routes location / { return 200 'newest'; } }");
is $w->get('/')->body, 'newest', 'the newest configuration is in use';
my $log    = substr $w->error_log, $mark;
my $starts = () = $log =~ /\] \d+#\d+: reconfiguring/g;
my $ends   = () = $log =~ /configuration \d+ is in use/g;
ok $starts < 51, "51 requests became $starts reloads";
$w->wait_until('all that began have ended', sub {
    my $now = substr $w->error_log, $mark;
    (() = $now =~ /\] \d+#\d+: reconfiguring/g) == (() = $now =~ /configuration \d+ is in use/g);
});
ok 1, 'each of which ended';
is_deeply [ $w->workers ], \@before, 'in the same processes';
done_testing;
