# The store's process is killed, and another one writes; it is stopped, and workers go on with what they have.
use v5.36;
use lib 't/lib';
use Weir::Store;
use Weir::Test;

my $w = Weir::Test->new('a store process that dies or hangs stops no request')->needs_weir;
$w->time_limit(90);
Weir::Store::not_at_the_end_of_a_month();
my $origin = $w->origin;
$w->conf(<<"END", main => "store_path store;\n", workers => 2)->allow_log(qr/store process \d+ exited on signal 9/, qr/does not end, it is killed/);
    quota_zone \$arg_k zone=month:1m per=month;
    server { location / { quota zone=month limit=5; proxy_pass http://$origin; }
             location /key { api_key \$arg_key; proxy_pass http://$origin; } }
END
$w->tool(qw(consumer add acme));
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
$w->start;
my @pids = ($w->store_process);
ok $pids[0], 'there is one';
for my $time (1 .. 5) {
    kill 'KILL', $pids[-1];
    is $w->get("/?k=$time")->status, 200, 'while there is none, requests are served';
    is $w->get("/key?key=$key")->status, 200, 'and keys are known';
    $w->wait_until('another one', sub { my $now = $w->store_process; $now && $now != $pids[-1] });
    push @pids, $w->store_process;
    is +($w->tool('consumer', 'add', "c$time"))[0], 0, 'another one writes';
}
my %different = map { $_ => 1 } @pids;
is keys %different, 6, 'each time another process';
is +(() = ($w->tool(qw(consumer list)))[1] =~ /^c\d /mg), 5, 'nothing that was acknowledged is gone';
$w->wait_for_log(qr/store process $pids[0] exited on signal 9/);

is $w->get('/?k=a')->status, 200, 'counted before';
kill 'STOP', $pids[-1];
is $w->get('/?k=a')->status, 200, 'one that hangs stops nobody' for 1 .. 4;
is $w->get('/?k=a')->status, 429, 'and nothing is given away';
is $w->get('/?k=new')->status, 200, 'new keys are counted';
is $w->get("/key?key=$key")->status, 200, 'keys are known';
$w->reload;
ok $w->store_process != $pids[-1], 'a reload has another one write';
is +($w->tool(qw(consumer add after)))[0], 0, 'at once';
is $w->get('/?k=a')->status, 429, 'and nobody forgot anything';

done_testing;
