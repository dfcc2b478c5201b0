# A worker that dies before it serves is started again with growing patience; meanwhile another one takes what comes to its sockets, also
# after a reload, and when that one dies, too.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Test;

my $w = Weir::Test->new('connections do not wait for a worker that is down')->needs_weir;
my $conf = sub ($word) { "server { location / { return 200 '\$pid $word'; } }" };
$w->conf($conf->('one'), workers => 3, control => 0);
$w->start;
$w->workers_may_change->descriptors_may_stay->allow_log(qr/exited on signal 9/);

# Kills each successor of a worker as soon as it is there, until the next one is some seconds away.
my $down = sub ($pid) {
    for (1 .. 9) {
        my $mark = length $w->error_log;
        kill 'KILL', $pid;
        last if $_ == 9;
        $w->wait_for_log(qr/worker process $pid exited on signal 9/, from => $mark);
        $pid = $w->wait_for_log(qr/start worker process (\d+)\n/, from => $mark);
    }
    $w->wait_for_log(qr/worker process $pid exited on signal 9/);
};
my $ask = sub ($word, $what) {
    my ($slowest, %seen) = (0);
    for (1 .. 60) {
        my $since = time;
        my ($pid, $said) = split ' ', $w->get('/')->body;
        $seen{$pid}++ if $said eq $word;
        $slowest = time - $since if time - $since > $slowest;
    }
    cmp_ok $slowest, '<', 0.5, "$what: nobody waits";
    return sort keys %seen;
};
my @three = $w->workers;
$down->($three[0]);
$ask->('one', 'one of three is down');
$down->($three[1]);
ok +(grep { $_ == $three[2] } $ask->('one', 'two of three are down')), 'the last one serves';
kill 'KILL', $three[2];                     # it has served: at once there is another
$w->wait_until('its successor serves', sub { my $answer = eval { $w->get('/') }; $answer && $answer->body !~ /^$three[2] / });
$ask->('one', 'the keeper died');

$w->wait_until('all three serve again', sub { my %seen; $seen{$w->get('/')->body}++ for 1 .. 60; keys %seen == 3 });
my ($again) = $w->workers;
$down->($again);
$w->reload($conf->('two'));
$w->wait_until('the reload is in use', sub { $w->get('/')->body =~ / two$/ });
$ask->('two', 'after a reload while one is down');
done_testing;
