# A worker that died again and again waits to be started.  A reload is in use when all that live have taken it; who waits begins with it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a reload does not wait for a worker that is down')->needs_weir;
my $conf = sub ($word) { "server { location / { return 200 '\$pid $word'; } }" };
$w->conf($conf->('one'), workers => 2, control => 0);
$w->start;
$w->workers_may_change->descriptors_may_stay->allow_log(qr/exited on signal 9/);

# Kills each successor as soon as it is there, until the next one is five seconds away.
my ($pid, $other) = $w->workers;
for (1 .. 10) {
    my $mark = length $w->error_log;
    kill 'KILL', $pid;
    $w->wait_for_log(qr/worker process $pid exited on signal 9/, from => $mark);
    $pid = $w->wait_for_log(qr/start worker process (\d+)\n/, from => $mark) if $_ < 10;
}
my $mark = length $w->error_log;
$w->{conf}{text} = $conf->('two');
$w->_write_conf;
my ($code, $said) = $w->tool('-s', 'reload', '--wait');
my $since = substr $w->error_log, $mark;
is $code, 0, 'the reload is good';
like $said, qr/^weir: configuration 2 is in use; workers that are down and will start with it: 1$/m, 'who waits is told of';
unlike $since, qr/start worker process/, 'nobody was started meanwhile';
is $w->get('/')->body, "$other two", 'who lives has taken it';

$w->wait_for_log(qr/worker process (?!$other\b)\d+ serves configuration 2\n/, from => $mark);
my %said;
$w->wait_until('both serve', sub { $said{$w->get('/')->body}++; keys %said == 2 });
is scalar(grep { !/^\d+ two$/ } keys %said), 0, 'who waited has begun with it';
done_testing;
