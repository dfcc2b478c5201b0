# Good, bad, good in one segment; and the end of the connection is the bad one's.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('nothing after a bad request is executed');
my $origin = $w->echo_origin;
$w->conf("server { location / { proxy_pass http://$origin; } }");

my $good = sub ($path) { "GET $path HTTP/1.1\r\nHost: localhost\r\n\r\n" };
my %bad = (
    'bad header'   => "GET /bad HTTP/1.1\r\nHost: localhost\r\nX y\r\n\r\n",
    'bad version'  => "GET /bad HTTP/9.9\r\nHost: localhost\r\n\r\n",
    'two lengths'  => "POST /bad HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    'bad chunk'    => "POST /bad HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    'too large'    => "POST /bad HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
    'bad path'     => "GET /../bad HTTP/1.1\r\nHost: localhost\r\n\r\n",
);
for my $name (sort keys %bad) {
    my $client = $w->client;
    $client->send($good->('/before') . $bad{$name} . $good->('/after'));
    my @answers = $client->read_responses;
    is scalar @answers, 2, "$name: two answers";
    is $answers[0]->status, 200, "$name: the good one";
    cmp_ok $answers[1]->status, '>=', 400, "$name: the bad one";
    is $answers[1]->header('Connection'), 'close', "$name: which says that it closes";

    my @alone = $w->client->send($bad{$name} . $good->('/after'))->read_responses;
    is scalar @alone, 1, "$name first: one answer";
}
is_deeply [ grep { m{/after|/bad} } $origin->lines ], [], 'nothing that followed went upstream';

done_testing;
