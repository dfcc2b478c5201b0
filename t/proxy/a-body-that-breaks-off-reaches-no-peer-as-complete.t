# With proxy_request_buffering off: the client closes, resets or falls silent inside its body.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a body that breaks off reaches no peer as complete');
my $origin = $w->origin(sub ($c) {
    my $complete = eval { $c->read_body; 1 };
    $c->note($complete ? 'complete' : 'broken');
    $c->reply(200, 'ok') if $complete;
    $c->close unless $complete;
}, body => 0);
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    proxy_request_buffering off;
    client_body_timeout 200ms;
    lingering_timeout 100ms;
    log_format causes '\$status \$weir_cause \$request_uri';
    access_log logs/causes.log causes;
    server { location / { proxy_pass http://api; } }
END

my $n = 0;
for my $framing ("Content-Length: 100\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Transfer-Encoding: chunked\r\n\r\n64\r\nhello") {
    my ($kind) = $framing =~ /^(\w+)/;
    for my $way (qw(fin reset silence)) {
        my $client = $w->client->send("POST /$way HTTP/1.1\r\nHost: x\r\n$framing");
        $origin->wait_requests(++$n);
        $client->half_close if $way eq 'fin';
        $client->reset if $way eq 'reset';
        $origin->wait_ended($n);
        is +($origin->notes)[-1], 'broken', "$kind, $way: the peer knows that it is not complete";
        is $client->read_response->status, 408, "$kind, $way: the client hears of it" if $way eq 'silence';
        $client->close;
    }
}
is $w->get('/x')->status, 200, 'and the next is served';
is $origin->connections, $n + 1, 'none of those connections was used again';
my $log = $w->wait_for_access(qr/(?:.*\n){10}/, 'causes.log');
is scalar(my @silent = $log =~ /^408 client\.body\.timeout/mg), 3, 'causes of silence';
is scalar(my @gone = $log =~ /^(?:499|400) client\.(?:closed|body\.incomplete)/mg), 6, 'causes of leaving';

done_testing;
