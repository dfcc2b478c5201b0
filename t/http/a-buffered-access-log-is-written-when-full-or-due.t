use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a buffered access log is written when full or due');
$w->conf('log_format f "$uri"; server { access_log logs/b.log f buffer=4k flush=200ms; location / { return 200 x; } }',
    workers => 1);

my $started = Time::HiRes::time();
$w->get('/one');
$w->wait_for_access(qr{^/one$}m, 'b.log');
cmp_ok Time::HiRes::time() - $started, '<', 3, 'one line is there when flush is due';
my $client = $w->client;
$client->get("/$_" . 'x' x 100) for 1 .. 100;
$w->wait_for_access(qr{^/30x+$}m, 'b.log');
pass 'a full buffer is written';
$w->get('/last');
$w->stop;
my @lines = split /\n/, $w->access_log('b.log');
is scalar @lines, 102, 'and the rest at the end';
is $lines[-1], '/last', 'in order';

done_testing;
