# Reloads that say nothing of the socket leave the process and its connections alone; one that moves it answers what is under
# way at the old place; an upgrade takes it over; with master_process off the one process serves it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a reload moves the socket and an upgrade takes it over')->needs_weir->workers_may_change;
my $a = $w->origin;
my $text = "upstream api { server $a; } server { location / { proxy_pass http://api; } }";
my $conf = sub ($main) { ($text, workers => 2, main => $main) };
$w->conf($conf->(''))->start;
my $pid = $w->control_process;
my $control = $w->control_client;
is +($control->ask(GET => '/v1/upstreams'))[0], 200, 'it answers';
$w->reload($text =~ s/location/location \/x { return 204; } location/r);
is +($control->ask(GET => '/v1/upstreams'))[0], 200, 'a connection outlives a reload';
is $w->control_process, $pid, 'and so does the process';

my ($stopped) = $w->workers;
kill STOP => $stopped;                       # so that a change is under way
$control->send(PATCH => "/v1/upstreams/api/servers/$a", { weight => 3 });
$w->wait_until('the master has it', sub {
    ($w->control_client->ask(GET => '/v1/upstreams/api'))[1]{servers}[0]{weight} == 3;
});
my $path = $w->dir . '/run.sock';
kill CONT => $stopped;
is +($control->read)[0], 200, 'it is answered when all go by it';
$w->reload($text, main => "control $path;");
$w->wait_until('there is another socket', sub { -S $path });
ok !-e $w->control_path, 'the one before is gone';
is +(Weir::Control->connect($path)->ask(GET => '/v1'))[0], 200, 'the new one answers';
$w->wait_until('the process before leaves', sub { !-e "/proc/$pid/exe" });
is +($w->tool('upstream', 'api', 'set', "$a", 'weight=1'))[0], 0, 'weir upstream finds it';
open my $file, '>', $w->dir . '/file' or die;
close $file;
$w->allow_log(qr/the control socket "\S+\/file" cannot be made/);
$w->reload($text, main => "control file;");
ok -f $w->dir . '/file', 'a file that is no socket is not replaced';
$w->reload($text, main => '');
$w->wait_until('it is where it was', sub { -S $w->control_path });

my $before = $w->control_process;
my $kept   = $w->control_client;
is +($kept->ask(GET => '/v1'))[0], 200, 'before the upgrade';
my ($code, $said) = $w->tool(qw(-s upgrade));
is $code, 0, 'another program takes over' or diag $said;
$w->wait_until('it is there', sub { eval { $w->taken_over } });
is +($w->control_client->ask(GET => '/v1/upstreams/api'))[1]{servers}[0]{server}, "$a", 'its control process answers';
isnt $w->control_process, $before, 'which is another one';
$w->wait_until('the one before leaves', sub { !-e "/proc/$before/exe" });

my $single = Weir::Test->new('one process serves it, too')->needs_weir;
$single->conf($text, workers => 1, main => 'master_process off;')->start;
my $one = $single->control_client;
is +($one->ask(POST => '/v1/upstreams/api/servers', { server => '127.0.0.9:1', down => JSON::PP::true() }))[0], 201, 'with master_process off it is changed, too';
is scalar(($one->ask(GET => '/v1/upstreams/api'))[1]{servers}->@*), 2, 'and told';
done_testing;
