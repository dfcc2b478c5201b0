use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an answer arrives as it comes');
my $origin = $w->origin(sub ($c) {
    $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for my $n (1 .. 3) {
        $c->raw("5\r\npart$n\r\n");
        $c->wait_for($c->request->target =~ s{/}{}r . $n);
    }
    $c->raw("0\r\n\r\n");
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server {
        location /on  { proxy_pass http://api; }
        location /off { proxy_pass http://api; proxy_buffering off; }
    }
END

for my $way (qw(on off)) {
    my $client = $w->client->send_request('GET', "/$way");
    my $head = $client->read_response_head;
    is $head->framing, 'chunked', "$way: head";
    for my $n (1 .. 3) {
        is $client->take_until(qr/part\d\r\n/), "5\r\npart$n\r\n", "$way: part $n while the peer waits";
        $w->pass("$way$n");
    }
    is $client->take(5), "0\r\n\r\n", "$way: the end";
}

done_testing;
