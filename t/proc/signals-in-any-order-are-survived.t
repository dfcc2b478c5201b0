# A storm of signals to master and workers, from the first moment on, ends where a single one would.
# Those that begin an upgrade have a file of their own.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes;
use Weir::Test;

my $w = Weir::Test->new('signals in any order are survived')->needs_weir;
$w->conf("server { location / { return 200 'ok'; } }");
$w->start;
my @before = $w->workers;
srand 7;
for my $round (1 .. 400) {
    my @to_master = qw(HUP USR1 CHLD);
    my @to_worker = qw(HUP USR1 USR2 WINCH CHLD);
    kill $to_master[ rand @to_master ], $w->pid;
    kill $to_worker[ rand @to_worker ], $before[ rand @before ];
    Time::HiRes::sleep(0.001) if $round % 3 == 0;
}
is $w->get('/')->body, 'ok', 'it serves';
$w->reload("server { location / { return 200 'new'; } }");
is $w->get('/')->body, 'new', 'and reloads';
is_deeply [ $w->workers ], \@before, 'in the same processes';

kill $_, $w->pid for qw(HUP QUIT HUP TERM USR1 INT);
is $w->wait_exit, 0, 'told in every way at once, it ends';
done_testing;
