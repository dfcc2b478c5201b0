# Whoever sends commands to the control socket one behind the other and then says no more has an answer to each of them,
# however many they are.
use v5.36;
use lib 't/lib';
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);
use Weir::Test;

my $w = Weir::Test->new('every command that was sent is answered')->needs_weir;
my $a = $w->origin;
$w->conf("upstream api { server $a; } server { location / { proxy_pass http://api; } }", workers => 1);
is $w->get('/')->status, 200, 'it serves';
my ($path) = (glob($w->dir . '/*.control'), glob($w->dir . '/*/*.control'));
ok defined $path, 'there is a control socket' or BAIL_OUT('none');

for my $n (5, 1500, 5000) {
    my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) or die "$path: $!";
    my $sender = $w->child(sub {
        print {$socket} "?\n" x $n;
        $socket->flush;
        $socket->shutdown(1);
    });
    my $answers = 0;
    while (defined(my $line = readline $socket)) {
        $answers += $line =~ /"error"/;
    }
    is $answers, $n, "$n commands have $n answers";
}
done_testing;
