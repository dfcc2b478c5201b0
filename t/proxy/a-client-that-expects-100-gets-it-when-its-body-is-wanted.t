use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a client that expects 100 gets it when its body is wanted');
my $origin = $w->echo_origin;
my $early  = $w->origin(sub ($c) { $c->reply(401, 'no') ; $c->close }, body => 0);
my $dead   = $w->refused_peer;
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    client_max_body_size 1k;
    server {
        location /buffered { proxy_pass http://api; }
        location /streamed { proxy_pass http://api; proxy_request_buffering off; }
        location /dead     { proxy_pass http://$dead; proxy_request_buffering off; }
        location /return   { return 403; }
    }
END

my $ask = sub ($client, $target, $length = 5) {
    $client->send("POST $target HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: $length\r\n\r\n");
};
for my $way (qw(buffered streamed)) {
    my $client = $w->client;
    for my $n (1 .. 2) {
        $ask->($client, "/$way");
        is $client->read_response_head->status, 100, "$way $n: 100";
        my $seen = $w->seen($client->send('hello')->read_response);
        is $seen->body, 'hello', "$way $n: then the body";
        is $seen->header('Expect'), undef, "$way $n: Expect is ours to answer";
    }
    $client->send("POST /$way HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    my $answer = $client->read_response;
    is $answer->status, 200, "$way: a client that does not wait is served";
    is scalar $answer->interim, 0, "$way: and needs no 100";
}
for my $case ([ '/return', 403 ], [ '/dead', 502 ], [ '/buffered', 413, 2000 ]) {
    my ($target, $status, $length) = @$case;
    my $client = $w->client;
    $ask->($client, $target, $length // 5);
    my $answer = $client->read_response;
    is $answer->status, $status, "$target: $status";
    is scalar $answer->interim, 0, "$target: no 100 before it: the body is not wanted";
    is $answer->header('Connection'), 'close', "$target: and what follows would be read in two ways";
}

done_testing;
