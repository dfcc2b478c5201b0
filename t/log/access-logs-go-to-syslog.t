use v5.36;
use lib 't/lib';
use Weir::Test;
use Sys::Hostname ();
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);

my $w    = Weir::Test->new('access logs go to syslog')->needs_weir;
my $dir  = $w->dir;
my $host = Sys::Hostname::hostname() =~ s/\..*//r;
my $udp  = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1') or die "udp: $!\n";
my $port = $udp->sockport;
my $unix = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$dir/log") or die "unix: $!\n";
chmod 0777, "$dir/log";

$w->conf(<<"END");
log_format line '\$uri \$status';
server {
    location /udp  { access_log syslog:server=127.0.0.1:$port,facility=local3,tag=gate,severity=notice line; return 200; }
    location /bare { access_log syslog:server=127.0.0.1:$port,nohostname line; return 200; }
    location /unix { access_log syslog:server=unix:$dir/log line if=\$arg_log; return 200; }
}
END

sub datagram ($socket) {
    my $bytes = '';
    local $SIG{ALRM} = sub { die "deadline: no datagram\n" };
    my $left = alarm 10;
    recv $socket, $bytes, 8192, 0;
    alarm $left;
    return $bytes;
}

$w->get('/udp');
like datagram($udp), qr{^<157>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \Q$host\E gate: /udp 200$}, 'over UDP, as told, with the name of this machine';
$w->get('/bare');
like datagram($udp), qr{^<190>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d weir: /bare 200$}, 'or without it: nohostname';
$w->get('/unix');
$w->get('/unix?log=1');
like datagram($unix), qr{^<190>.* weir: /unix 200$}, 'over a unix socket, if wanted';

close $unix;
is $w->get('/unix?log=1')->status, 200, 'a daemon that has gone does no harm';
done_testing;
