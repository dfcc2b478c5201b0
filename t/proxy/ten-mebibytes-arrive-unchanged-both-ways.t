use v5.36;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use Weir::Test;

my $w      = Weir::Test->new('ten mebibytes arrive unchanged both ways');
my $bytes  = join '', map { sprintf "%015x\n", $_ * 2_654_435_761 % 2**48 } 1 .. 655_360;
my $origin = $w->origin(sub ($c) {
    my $body = $c->request->body;
    $c->request->target =~ /chunked/ ? $c->reply_chunked(200, [ unpack '(a70001)*', $body ]) : $c->reply(200, $body);
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    client_max_body_size 20m;
    server {
        location /buffered { proxy_pass http://api; }
        location /streamed { proxy_pass http://api; proxy_request_buffering off; proxy_buffering off; }
    }
END

my $sum = sha256_hex($bytes);
for my $way (qw(/buffered/length /buffered/chunked /streamed/length /streamed/chunked)) {
    my $client = $w->client;
    my $sender = $w->child(sub {
        $client->send($way =~ /length/
            ? "POST $way HTTP/1.1\r\nHost: x\r\nContent-Length: " . length($bytes) . "\r\n\r\n$bytes"
            : "POST $way HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                . join('', map { sprintf "%x\r\n%s\r\n", length, $_ } unpack '(a99991)*', $bytes) . "0\r\n\r\n");
    });
    my $answer = $client->read_response;
    is sha256_hex($answer->body), $sum, "$way: " . length($answer->body) . ' bytes';
    $sender->(5);
}

done_testing;
