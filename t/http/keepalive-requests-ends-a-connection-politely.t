use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('keepalive_requests ends a connection politely');
$w->conf('keepalive_requests 3; server { location / { return 200 ok; } }');

my $client = $w->client;
my @said = map { $client->get('/')->header('Connection') // '' } 1 .. 3;
is_deeply [ map { lc } @said ], [ 'keep-alive', 'keep-alive', 'close' ], 'the third answer says that it is the last';
ok $client->at_eof, 'and it is';

# A fourth request that was under way already is not answered, and not lost in a reset either.
$client = $w->client;
$client->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" x 5);
is scalar(my @answers = $client->read_responses), 3, 'of five pipelined ones three are answered';

done_testing;
