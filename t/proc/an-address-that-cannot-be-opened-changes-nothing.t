# One of the addresses of a new configuration is somebody else's: the reload is refused, and those that were opened for it are closed again.
use v5.36;
use lib 't/lib';
use IO::Socket::INET;
use IO::Socket::UNIX;
use Weir::Test;

my $w = Weir::Test->new('an address that cannot be opened changes nothing')->needs_weir;
my ($path, $theirs, $file) = map { $w->dir . "/$_" } qw(new.sock theirs.sock file.sock);
my $refuses = sub ($name) { !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $w->port($name)) };
my $text    = sub ($body, @addresses) { "server { listen 127.0.0.1:%%PORT%%; " . join(' ', map { "listen $_;" } @addresses) . " location / { return 200 '$body'; } }" };
my $taken   = $w->listener('taken');
my $socket  = IO::Socket::UNIX->new(Local => $theirs, Listen => 64) or die "$theirs: $!\n";
$w->write_file('file.sock', 'precious');

$w->conf($text->('first'), workers => 2);
my $kept = $w->client;
is $kept->get('/')->body, 'first', 'it serves';
for my $bad ([ 'a port that is taken', '127.0.0.1:%%PORT_taken%%' ], [ 'all addresses of that port', '%%PORT_taken%%' ], [ 'a path where somebody listens', "unix:$theirs" ],
    [ 'a path that is a file', "unix:$file" ], [ 'an address of another machine', '192.0.2.1:%%PORT_other%%' ]) {
    my ($what, $address) = @$bad;
    for my $order ([ '127.0.0.1:%%PORT_new%%', "unix:$path", $address ], [ $address, '127.0.0.1:%%PORT_new%%', "unix:$path" ]) {
        $w->reload_refused($text->('second', @$order), qr/bind\(\) to \S+ failed \(\d+: .*\)/);
        ok $refuses->('new'), "$what: what was opened before is closed";
        ok !-e $path, 'and its file is gone';
        is $w->get('/')->body, 'first', 'nothing else has changed';
    }
}
is $kept->get('/')->body, 'first', 'nor for a kept connection';
is Weir::Server::slurp($file), 'precious', 'a file stays what it is';
ok IO::Socket::UNIX->new(Peer => $theirs), 'and a socket its owner\'s';
close $taken;
$w->reload($text->('second', '127.0.0.1:%%PORT_taken%%', '127.0.0.1:%%PORT_new%%', "unix:$path"));
is $w->request('GET', '/', port => $_)->body, 'second', "when it is free, it is opened: $_" for '', 'taken', 'new';
is $w->request('GET', '/', unix => $path)->body, 'second', 'and the path';
$kept->close;
$w->descriptors_may_stay;

done_testing;
