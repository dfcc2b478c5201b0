# worker_watchdog is the store process's, too: one that is stopped is killed after that time, and the next one takes what
# the command line asks for, so that a consumer can be disabled.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a store process that is stopped is replaced')->needs_weir;
$w->allow_log(qr/is stopped for more than/, qr/store process \d+ exited on signal 9/);
$w->conf(<<'END', main => "store_path store;\nworker_watchdog 1s;\n", workers => 2);
    server { location / { api_key $http_x_api_key; empty_gif; } }
END
is +($w->tool(qw(consumer add acme)))[0], 0, 'a consumer';
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
$w->start;
is $w->get('/', 'X-API-Key' => $key)->status, 200, 'its key is good';
my $before = $w->store_process;
kill 'STOP', $before;
$w->wait_until('another one', sub { my $now = $w->store_process; $now && $now != $before });
$w->wait_for_log(qr/\[alert\] .*store process $before is stopped for more than 1000 ms \(worker_watchdog\): it is killed\n/);
is +($w->tool(qw(consumer set acme disabled=on)))[0], 0, 'the consumer is disabled';
is $w->get('/', 'X-API-Key' => $key)->status, 403, 'for all workers' for 1 .. 4;
done_testing;
