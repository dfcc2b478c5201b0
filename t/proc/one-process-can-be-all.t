# `master_process off`: one process serves, reloads and leaves.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w = Weir::Test->new('one process can be all')->needs_weir;
$w->workers_may_change->descriptors_may_stay->allow_log(qr/unknown directive "bogus"/);
my $origin = $w->origin;
my $asks   = "location /asks { proxy_pass http://$origin; }";
$w->conf("server { location / { return 200 'one \$pid'; } $asks }", main => 'master_process off; worker_processes 1;', control => 0, workers => 0);
$w->start;
is $w->get('/')->body, 'one ' . $w->pid, 'the process itself serves';
is Weir::Server::slurp($w->dir . '/logs/weir.pid'), $w->pid . "\n", 'and is in the pid file';
is scalar $w->workers, 0, 'there is no other';

my $kept = $w->client;
is $kept->send_request('GET', '/')->read_response->body, 'one ' . $w->pid, 'a connection is kept';
is $w->get('/asks')->status, 200, 'it asks an upstream server';
$w->reload("server { location / { return 200 'two'; } $asks } server { listen 127.0.0.1:%%PORT_more%%; location / { return 200 'more'; } }");
$w->wait_for_log(qr/configuration 2 is in use/);
is $kept->send_request('GET', '/')->read_response->body, 'two', 'it reloads';
is $w->request('GET', '/', port => 'more')->body, 'more', 'with a new address';
$w->reload_refused('bogus;', qr/unknown directive "bogus"/);
is $kept->send_request('GET', '/')->read_response->body, 'two', 'a broken file changes nothing';
is $w->get('/asks')->status, 200, 'and it asks still';
$kept->close;
is $w->stop, 0, 'it leaves';
ok !-e $w->dir . '/logs/weir.pid', 'with its pid file';
done_testing;
