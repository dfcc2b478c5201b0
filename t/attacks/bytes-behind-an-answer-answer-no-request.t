# Extra bytes, a second answer (response queue poisoning), a body where there is none.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new("bytes behind an answer answer no request");

my $evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
my %cases = (
    'a second answer'          => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok$evil",
    'a second answer, chunked' => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n$evil",
    'longer than its length'   => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokevil",
    '204 with a body'          => "HTTP/1.1 204 No Content\r\n\r\n$evil",
    '304 with a body'          => "HTTP/1.1 304 Not Modified\r\n\r\n$evil",
    'HEAD with a body'         => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    'an interim behind'        => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 100 Continue\r\n\r\n",
);
my @names = sort keys %cases;
my $peer  = $w->peer(sub ($c) {
    while (my $request = $c->read_request) {
        my ($n) = $request->target =~ m{/x/(\d+)};
        if (defined $n) { $c->raw($cases{ $names[$n] }) }
        else            { $c->reply(200, $request->target) }
    }
});
$w->conf("upstream u { server $peer; keepalive 4; } server { location / { proxy_pass http://u; } }", workers => 1);

for my $n (0 .. $#names) {
    my $method = $names[$n] =~ /HEAD/ ? 'HEAD' : 'GET';
    for my $round (1 .. 3) {
        my $client = $w->client;
        my $answer = eval { $client->send_request($method, "/x/$n")->read_response(method => $method) };
        ok $answer, "$names[$n]: answered" or diag $@;
        unlike $answer->body, qr/evil|HTTP/, "$names[$n]: without what is not its" if $answer;
        if ($answer && $answer->is_kept) {
            is eval { $client->get("/own/$n")->body }, "/own/$n",
                "$names[$n]: the same client's next answer is its own";
        }
        is $w->get("/other/$n/$round")->body, "/other/$n/$round", "$names[$n]: another's is its own";
        $client->close;
    }
}

done_testing;
