# The end of the client's side comes in the same moment as the end of its body: no later edge tells of it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a client that leaves with its last byte frees the peer');
my $origin = $w->origin(sub ($c) {
    $c->take_all;                 # until Weir closes
    $c->close;
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; }
    log_format ends '\$request_uri \$status \$weir_cause';
    access_log logs/ends.log ends;
    server {
        location /buffered { proxy_pass http://api; }
        location /streamed { proxy_pass http://api; proxy_request_buffering off; }
    }
END

my $n = 0;
for my $path (qw(/buffered /streamed)) {
    my $client = $w->client;
    $client->send("POST $path HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n");
    $client->send('0123456789');
    $client->close;
    $origin->wait_ended(++$n);
    pass "$path: the connection to the peer is closed";
    is $w->wait_for_access(qr{^$path (.*)}m, 'ends.log'), '499 client.closed', 'and the log tells who left';
}

done_testing;
