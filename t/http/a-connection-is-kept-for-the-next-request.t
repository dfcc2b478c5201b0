use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a connection is kept for the next request');
$w->conf('server { location / { return 200 "$connection $connection_requests"; } }', workers => 1);

my $client = $w->client;
my ($number) = $client->get('/')->body =~ /^(\d+) 1$/;
ok $number, 'the first request';
for my $n (2 .. 20) {
    is $client->get('/')->body, "$number $n", "request $n came on the same connection";
}
my $last = $client->get('/', Connection => 'close');
is $last->header('Connection'), 'close', 'the client asked for the end and is told of it';
ok $client->at_eof, 'and the connection ends';

done_testing;
