# lingering_time: for so long in all is read away what comes behind the last answer, however often a byte comes; and no longer is waited for one.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time sleep);
use Weir::Test;

my $w = Weir::Test->new('lingering_time ends what lingering_timeout would not');
$w->conf(<<'END', workers => 1);
    client_max_body_size 10;
    lingering_time 1s;
    lingering_timeout 8s;
    lingering_close always;
    server { location / { return 200 ok; } }
END

for my $way ('a client that sends a byte now and then', $w->is_nginx ? () : 'a client that sends nothing more') {   # (nginx waits on)
    my $client = $w->client;
    my $from   = time;
    $client->send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
    is $client->read_response->status, 413, "$way: refused";
    # Weir's end of writing is there at once; that it closes is seen by what a write is answered with.
    my $ended;
    local $SIG{PIPE} = 'IGNORE';
    if ($way =~ /byte/) {
        while (!$ended && time - $from < 7) {
            $client->write('x') or $ended = 1;
            sleep 0.02;
        }
    } else {
        $w->wait_until('the connection is closed', sub { sockets($w) == 0 });
        $ended = 1;
    }
    my $took = time - $from;
    ok $ended, 'the connection ends';
    cmp_ok $took, '>=', 0.9, 'not before lingering_time' unless $w->is_nginx;          # (nginx counts whole seconds)
    cmp_ok $took, '<', 6, 'and not with lingering_timeout';
    $client->close;
}

# Connections that a process still has, our side of which is the server.
sub sockets ($w) {
    my $port = sprintf '%04X', $w->port;
    open my $in, '<', '/proc/net/tcp' or die;
    return scalar grep { my @f = split; $f[1] =~ /:$port$/ && $f[3] ne "0A" && $f[9] != 0 } <$in>;
}

done_testing;
