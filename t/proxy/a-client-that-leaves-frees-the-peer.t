use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a client that leaves frees the peer');
my $origin = $w->origin(sub ($c) {
    my $target = $c->request->target;
    $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome") if $target =~ /body/;
    $c->note('waits');
    $c->take_all;                 # until Weir closes
    $c->close;
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    log_format ends '\$request_uri \$status \$weir_cause \$upstream_status';
    access_log logs/ends.log ends;
    server {
        location / { proxy_pass http://api; }
        location /off { proxy_pass http://api; proxy_buffering off; }
    }
END

my $n = 0;
for my $way (qw(/head /body /off/head /off/body)) {
    for my $how (qw(close reset)) {
        my $client = $w->client->send_request('GET', "$way/$how");
        $origin->wait_requests(++$n);
        $client->take_until(qr/some/) if $way =~ /body/;
        $client->$how;
        $origin->wait_ended($n);
        pass "$way, $how: the connection to the peer is closed";
        my $expected = $way =~ /body/ ? '200 client.closed 200' : '499 client.closed -';
        is $w->wait_for_access(qr{^$way/$how (.*)}m, 'ends.log'), $expected, 'and the log tells who left';
    }
}

done_testing;
