use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('listens on a unix socket');
$w->conf('server { listen unix:%%DIR%%/weir.sock; return 200 "unix $remote_addr"; } server { return 200 tcp; }');

is $w->get('/')->body, 'tcp', 'beside TCP';
for (1 .. 10) {
    is $w->client(unix => $w->dir . '/weir.sock')->get('/')->body, 'unix unix:', 'by the socket';
}
$w->stop;
ok !-e $w->dir . '/weir.sock', 'it is gone when the server has ended';

done_testing;
