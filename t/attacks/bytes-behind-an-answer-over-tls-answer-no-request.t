# Extra bytes, a second answer (response queue poisoning) and a body where there is none, in the record of the answer and in one of
# their own, on a connection that is kept and one whose session is resumed.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;
use Weir::TlsPeer;

my $w    = Weir::Test->new("bytes behind an answer over tls answer no request")->needs_weir;
my $root = Weir::Pki->authority($w, 'root');
my $site = $root->server('localhost');

my $evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
my %cases = (
    'a second answer'          => [ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", $evil ],
    'a second answer, chunked' => [ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", $evil ],
    'longer than its length'   => [ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 'evil' ],
    '204 with a body'          => [ "HTTP/1.1 204 No Content\r\n\r\n", $evil ],
    '304 with a body'          => [ "HTTP/1.1 304 Not Modified\r\n\r\n", $evil ],
    'HEAD with a body'         => [ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", 'evil' ],
    'an interim behind'        => [ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 100 Continue\r\n\r\n" ],
);
my @names = sort keys %cases;
my $peer  = $w->peer(sub ($c) {
    Weir::TlsPeer::secure($c, cert => $site) or return;
    while (my $request = $c->read_request) {
        my ($n, $way) = $request->target =~ m{/x/(\d+)/(\w+)};
        if    (!defined $n)       { $c->reply(200, $request->target) }
        elsif ($way eq 'one')     { $c->raw(join '', $cases{ $names[$n] }->@*) }
        else                      { $c->raw($_) for $cases{ $names[$n] }->@* }
        $c->note("sent $way") if defined $n;
    }
});
$w->conf(<<"END", workers => 1);
    upstream u { server $peer; keepalive 4; }
    proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_trusted_certificate @{[ $root->file ]};
    server { location / { proxy_pass https://u; } }
END

my %sent;
for my $n (0 .. $#names) {
    my $method = $names[$n] =~ /HEAD/ ? 'HEAD' : 'GET';
    for my $way ('one', 'two', 'one') {
        my $client = $w->client;
        my $answer = eval { $client->send_request($method, "/x/$n/$way")->read_response(method => $method) };
        ok $answer, "$names[$n], $way: answered" or diag $@;
        unlike $answer->body, qr/evil|HTTP/, "$names[$n], $way: without what is not its" if $answer;
        $sent{$way}++;
        $w->wait_until('the peer has sent all of it', sub { $sent{$way} == grep { $_ eq "sent $way" } $peer->notes });   # what came later could be an answer
        if ($answer && $answer->is_kept) {
            is eval { $client->get("/own/$n")->body }, "/own/$n", "$names[$n], $way: the same client's next answer is its own";
        }
        is $w->get("/other/$n/$way")->body, "/other/$n/$way", "$names[$n], $way: another's is its own";
        $client->close;
    }
}
is scalar(grep { /^handshake/ } $peer->notes), 0, 'all of it went over TLS';
done_testing;
