# A second instance, or anybody else on the port, is an error after some tries: nobody shares our connections.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w = Weir::Test->new('a port in use is an error')->needs_weir;
$w->conf("server { location / { return 200 'first'; } }");
$w->start;
my $first = Weir::Server::slurp($w->conf_file);
$w->write_file('conf/second.conf', $first =~ s/weir\.pid/second.pid/r =~ s/error\.log/second.log/r);
my ($code, $output) = $w->run('-p', '%%DIR%%/', '-e', 'logs/second.log', '-c', 'conf/second.conf');
is $code, 1, 'a second instance ends';
my $tries = () = $output =~ /^weir: \[emerg\] bind\(\) to 127\.0\.0\.1:\d+ failed \(98: Address already in use\)$/mg;
is $tries, 5, 'after five tries';
like $output, qr/^weir: \[emerg\] still could not bind\(\) to 127\.0\.0\.1:\d+ \(98: Address already in use\)$/m, 'which it says';
ok !-e $w->dir . '/logs/second.pid', 'it leaves no pid file';
is $w->get('/')->body, 'first', 'the first one serves all';
done_testing;
