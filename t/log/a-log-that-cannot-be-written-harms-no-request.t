use v5.36;
use lib 't/lib';
use Weir::Test;
use POSIX ();

# A full disk, a reader that sleeps, one that has gone.
my $w = Weir::Test->new('a log that cannot be written harms no request')->needs_weir;
my $fifo = $w->dir . '/logs/fifo';
POSIX::mkfifo($fifo, 0666) or die "mkfifo: $!\n";
sysopen my $reader, $fifo, POSIX::O_RDONLY() | POSIX::O_NONBLOCK() or die "$fifo: $!\n";

$w->conf(<<'END', workers => 1);
log_format long '$uri $arg_x$arg_x$arg_x$arg_x$arg_x$arg_x$arg_x$arg_x';
server {
    location /full { access_log /dev/full; return 200 ok; }
    location /fifo { access_log logs/fifo long; return 200 ok; }
}
END

my $client = $w->client;
is $client->get('/full')->body, 'ok', "a full disk: request $_" for 1 .. 20;

my $x = 'x' x 1000;
my $good = grep { $client->get("/fifo?x=$x")->body eq 'ok' } 1 .. 50;
is $good, 50, 'a reader that sleeps';

my $got = '';
1 while sysread $reader, $got, 65536, length $got;
my @lines = split /(?<=\n)/, $got;
cmp_ok scalar @lines, '>', 0, 'what it finds when it wakes';
is scalar(grep { $_ !~ m{^/fifo x{8000}\n\z} } @lines[ 0 .. $#lines - 1 ]), 0, 'are whole records, but for the one the pipe was full in';
close $reader;
is $client->get("/fifo?x=1")->body, 'ok', 'a reader that has gone';
done_testing;
