# After an answer that leaves a body unread: `off` closes at once, so that more bytes are answered with a reset; `on` reads them away.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('lingering_close says how an unread body is treated')->needs_weir;
$w->conf(<<'END', workers => 1);
    client_max_body_size 10;
    lingering_timeout 5s;
    server {
        location /on  { lingering_close on;  return 200 on; }
        location /off { lingering_close off; return 200 off; }
        location /all { lingering_close off; client_max_body_size 0; return 200 all; }
    }
END

for my $way (qw(on off)) {
    my $client = $w->client;
    $client->send("POST /$way HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
    is $client->read_response->status, 413, "$way: refused for its length";
    my $taken = 0;
    local $SIG{PIPE} = 'IGNORE';
    for (1 .. 50) { $client->write('x' x 100) or last; $taken++; select undef, undef, undef, 0.002 }
    if ($way eq 'on') { is $taken, 50, 'on: what still comes is read away' }
    else              { cmp_ok $taken, '<', 50, 'off: the connection has gone' }
    $client->close;
}

# With bytes that nobody reads the close is a reset; the answer is out before it, and all of it is there.  All are in the socket before it looks.
my $client = $w->client;
is $client->get('/on')->status, 200, 'a connection stands';
$w->stop_workers;
$client->send("POST /all HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n" . 'x' x 150_000);
$w->continue_workers;
is $client->read_response->body, 'all', 'off: the answer comes before the reset';

done_testing;
