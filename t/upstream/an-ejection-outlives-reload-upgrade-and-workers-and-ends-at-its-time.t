# An ejected server stays so when its group changes, when the worker that ejected it is killed, and when another program
# takes over; and it comes back when its time is over, though that worker is dead and nobody asks for the group.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes;
use Weir::Test;

my $w    = Weir::Test->new('an ejection outlives reload, upgrade and workers, and ends at its time')->needs_weir->workers_may_change;
my $good = $w->origin(sub { shift->reply(200, 'ok') });
my $bad  = $w->origin(sub { shift->reply(500, 'bad') });
my $ill  = $w->origin(sub { shift->reply(500, 'ill') });
my $conf = <<"END";
    upstream long  { server $good; server $bad max_fails=0; outlier_detection consecutive_5xx=2 base_ejection_time=1h; }
    upstream short { server $good; server $ill max_fails=0; outlier_detection consecutive_5xx=2 base_ejection_time=2s max_ejection_time_jitter=100ms; }
    server { location /long { proxy_pass http://long; } location /short { proxy_pass http://short; } location /status { status; } }
END
$w->conf($conf, workers => 2);
$w->allow_log(qr/exited on signal 9/);
my $told  = sub ($group) { decode_json($w->get('/status')->body)->{upstreams}{$group} };
my $state = sub ($group, $peer) { $told->($group)->{peers}{"$peer"}{state} };
$w->get("/long/$_") for 1 .. 8;
is $bad->requests, 2, 'two answers of 500';
is $state->(long => $bad), 'unavail', 'and it is ejected';

$conf =~ s/long  \{ server \Q$good\E;/long  { server $good weight=2;/;
$w->reload($conf);
$w->get("/long/$_") for 1 .. 8;
is $state->(long => $bad), 'unavail', 'a reload that changes the group forgets nothing';
my @workers = $w->workers;
for my $one (@workers) {
    kill KILL => $one;
    $w->wait_until('another worker is there', sub { my @now = $w->workers; 2 == @now && !grep { $_ == $one } @now });
}
$w->get("/long/$_") for 1 .. 8;
is $state->(long => $bad), 'unavail', 'nor does the death of workers, one after another';
my ($code, $said) = $w->tool(qw(-s upgrade));
is $code, 0, 'another program takes over' or diag $said;
$w->wait_until('it is there', sub { eval { $w->taken_over } });
$w->get("/long/$_") for 1 .. 8;
is $state->(long => $bad), 'unavail', 'nor an upgrade';
is $bad->requests, 2, 'it was asked twice in all this';
is $told->('long')->{outlier_detection}{ejections}{consecutive_5xx}, 1, 'and was ejected once';

my $began = Time::HiRes::time();
$w->get("/short/$_") for 1 .. 8;
my $who = $w->wait_for_log(qr/\[warn\] (\d+)#\d+: upstream server ejected for 2\.[01]\d\ds by .* of upstream "short"/);
kill KILL => $who;
$w->wait_until('it is back', sub { $state->(short => $ill) eq 'up' });
cmp_ok Time::HiRes::time() - $began, '>=', 2, 'its time was over';
is $ill->requests, 2, 'nobody had asked for the group';
is $told->('short')->{outlier_detection}{returns}, 1, 'it came back once';
like $w->error_log, qr/upstream server no longer ejected: "\Q$ill\E"/, 'and the log says so';

$w->reload($conf =~ s/outlier_detection consecutive_5xx=2 base_ejection_time=1h;//r);
$w->wait_until('a group that has no outlier detection any more has no ejected server', sub { $state->(long => $bad) eq 'up' });
$w->get("/long/$_") for 1 .. 9;
cmp_ok $bad->requests, '>', 2, 'and asks it';

done_testing;
