# FIN and RST after every byte of an answer, in its head and in its body.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a peer may end at any byte');

my $text = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX: y\r\n\r\nhello, world";
my $head = length($text) - 12;
my $peer = $w->peer(sub ($c) {
    my ($n, $how) = $c->read_request->target =~ m{(\d+)/(\w+)};
    $c->raw(substr $text, 0, $n);
    $c->$how;
});
$w->conf("upstream u { server $peer; keepalive 4; } proxy_next_upstream off; server { location / { proxy_pass http://u; } }");

my (%head, %body);
for my $how ('close', 'reset') {
    for my $n (0 .. length $text) {
        my $client = $w->client;
        my $answer = eval { $client->send_request('GET', "/$n/$how")->read_response };
        my $result = $answer ? $answer->status : 'cut';
        if ($n < $head) {
            push $head{$result}->@*, "$how $n";
        } elsif ($n < length $text) {
            push $body{$result}->@*, "$how $n";
        } elsif ($how eq 'close') {           # an RST behind the last byte may overtake what was sent
            is $answer && $answer->body, 'hello, world', 'whole';
        }
        $client->close;
    }
}
is_deeply [ keys %head ], [502], 'in the head: 502' or diag explain \%head;
is_deeply [ grep { $_ ne 'cut' && $_ ne '502' } keys %body ], [], 'in the body: never a good end'
    or diag explain \%body;

done_testing;
