# The answer begins while the body comes; the client stops reading, then ends its body: whose turn it is does not change by that.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Time::HiRes qw(sleep);

my $w      = Weir::Test->new('a client that pauses does not use up proxy read timeout');
my $size   = 20_000_000;
my $origin = $w->origin(sub ($c) {
    $c->raw("HTTP/1.1 200 OK\r\nContent-Length: $size\r\n\r\n");
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        $c->raw('x' x 1_000_000) for 1 .. $size / 1_000_000;
        require POSIX;
        POSIX::_exit(0);
    }
    $c->read_body;
    $c->note('body read');
    waitpid $pid, 0;
}, body => 0);
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; }
    server {
        location / { proxy_pass http://api; proxy_request_buffering off; proxy_buffering off; client_max_body_size 0; proxy_read_timeout 300ms; }
    }
END

my $client = $w->client(rcvbuf => 65536)->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" . 'a' x 100_000);
my $head = $client->read_response_head;
is $head->status, 200, 'the answer begins';
sleep 0.5;
$client->send('a' x 100_000);
$origin->wait_note('body read');
sleep 1;
is length $client->read_body($head)->body, $size, 'the answer is whole';

done_testing;
