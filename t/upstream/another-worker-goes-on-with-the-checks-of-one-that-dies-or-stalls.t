# One worker of four checks a peer.  When it is killed, in a check or between two, another goes on within an interval;
# also when it only stands still.  At no time there are two checks at once.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(sleep time);
use Weir::Test;

my $w = Weir::Test->new('another worker goes on with the checks of one that dies or stalls')->needs_weir->workers_may_change;
my $interval = 0.6;
my $slow = $w->{dir} . '/slow';
my $peer = $w->origin(sub ($c) {
    $c->note(sprintf 'check %.3f by %s', time, $c->request->header('X-Pid') // '?');
    sleep 0.2 if -e $slow;
    $c->reply(200, 'ok');
});
$w->conf(<<"END", workers => 4);
    upstream all { server $peer; }
    server { location / { proxy_pass http://all; proxy_set_header X-Pid \$pid; health_check interval=600ms timeout=2s; } }
END
$w->allow_log(qr/exited on signal 9/);
$w->start;

my $checks = sub { map { /^check ([\d.]+) by (\d+)/ ? [ $1, $2 ] : () } $peer->notes };
my $last   = sub { ($checks->())[-1] };
my $more   = sub ($n) { my $had = $checks->(); $w->wait_until("$n checks more", sub { $checks->() >= $had + $n }) };

$more->(6);
my %by = map { $_->[1] => 1 } $checks->();
is scalar keys %by, 1, 'one worker makes all checks';

for my $round (1 .. 4) {
    my ($had, $pid) = (scalar($checks->()), $last->()->[1]);
    if ($round > 2) {                        # in a check
        $w->write_file('slow', '');
        $w->wait_until('a check begins', sub { $checks->() > $had });
        ($had, $pid) = (scalar($checks->()), $last->()->[1]);
    }
    kill KILL => $pid;
    my $killed = time;
    unlink $slow;
    $w->wait_until('another check', sub { $checks->() > $had });
    my $next = ($checks->())[$had];
    isnt $next->[1], $pid, "round $round: another worker checks";
    cmp_ok $next->[0] - $killed, '<', $interval * 1.5, 'within an interval';
    $w->wait_until('four workers are there', sub { $w->workers == 4 });
    $more->(2);
}

my $pid = $last->()->[1];
kill STOP => $pid;
my $had = $checks->();
$w->wait_until('another goes on', sub { grep { $_->[1] ne $pid } ($checks->())[ $had .. $checks->() - 1 ] });
pass 'a worker that stands still is not waited for';
kill CONT => $pid;
$more->(4);

my @all = map { $_->[0] } $checks->();
my ($from, $to) = (@all - 5, @all - 1);
cmp_ok $all[$to] - $all[$from], '>=', $interval * 4 - 0.1, 'four intervals have four checks, all the while four workers look';

done_testing;
