# Whoever asks the control socket for many long lists at once, or opens connections and says nothing, keeps nobody else from
# it, and no request from its answer.
use v5.36;
use lib 't/lib';
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);
use Weir::Test;

$SIG{PIPE} = 'IGNORE';
my $w = Weir::Test->new('lists keep nobody from the control socket')->needs_weir;
my $a = $w->origin;
my $servers = join ' ', map { 'server 127.9.' . int($_ / 250) . '.' . ($_ % 250 + 1) . ':9 down;' } 1 .. 2000;
$w->conf("upstream api { server $a; $servers } server { location / { proxy_pass http://api; } }", workers => 1);
is $w->get('/')->status, 200, 'it serves';
my ($path) = (glob($w->dir . '/*.control'), glob($w->dir . '/*/*.control'));
my $connect = sub { IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) or die "$path: $!" };

my $greedy = $connect->();
my $n = 380;
is syswrite($greedy, qq({"do":"upstream.list","group":"api"}\n) x $n), $n * 37, "$n lists are asked for at once";
is +($w->tool('upstream', 'api', 'set', "$a", 'weight=2'))[0], 0, 'meanwhile a change is made';
is $w->get('/')->status, 200, 'and requests are answered';
my $row = qr/"server":"\Q$a\E"/;
like scalar readline $greedy, $row, 'a list comes when it is read';
like scalar readline $greedy, $row, 'and another one';
close $greedy;

my @idle = map { $connect->() } 1 .. 70;
is +($w->tool('upstream', 'api', 'set', "$a", 'weight=1'))[0], 0, 'connections that say nothing keep nobody from it';
done_testing;
