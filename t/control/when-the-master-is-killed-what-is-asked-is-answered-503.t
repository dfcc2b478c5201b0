# The master is killed while a change is under way: who asked is told 503, and who asks then, too; the process ends.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('when the master is killed what is asked is answered 503')->needs_weir->workers_may_change->descriptors_may_stay;
my $a = $w->origin;
$w->conf("upstream api { server $a; } server { location / { proxy_pass http://api; } }", workers => 1)->start;
is $w->get('/')->status, 200, 'it serves';
my $pid = $w->control_process;
my ($worker) = $w->workers;

my ($waits, $idle) = ($w->control_client, $w->control_client);
is +($idle->ask(GET => '/v1'))[0], 200, 'one is answered and stays';
kill STOP => $worker;                        # so that the change is not answered yet
$waits->send(PATCH => "/v1/upstreams/api/servers/$a", { weight => 2 });
my $early;
$w->wait_until('the master has it', sub {
    ($early) = (grep { $_->{server} eq "$a" } ($w->control_client->ask(GET => '/v1/upstreams/api'))[1]{servers}->@*)[0]{weight};
    return $early == 2;
});
kill KILL => $w->pid;
my ($status, $problem, $fields) = $waits->read;
is $status, 503, 'what was under way is answered 503';
like $problem->{detail}, qr/master process has gone: whether anything was changed is not known/, 'which says what is known';
is $fields->{'retry-after'}, 1, 'and to ask again';
kill CONT => $worker;
$w->wait_until('the control process ends', sub { !-e "/proc/$pid/exe" });
ok $idle->is_ended, 'connections end';
$w->{guard}->wait($w->{pid}, 10);
undef $w->{pid};
$w->wait_until('the worker has gone', sub { !-e "/proc/$worker/exe" });
$w->start;
is +($w->control_client->ask(GET => '/v1'))[0], 200, 'the next start takes the name of the socket over';
done_testing;
