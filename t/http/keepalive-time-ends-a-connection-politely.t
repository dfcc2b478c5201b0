use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('keepalive_time ends a connection politely');
$w->conf('keepalive_time 150ms; server { location / { return 200 ok; } }');

my $client = $w->client;
is lc $client->get('/')->header('Connection'), 'keep-alive', 'a young connection is kept';
ok $client->is_quiet(0.25), 'it does not end by itself';
is lc $client->get('/')->header('Connection'), 'close', 'an old one gets its last answer';
ok $client->at_eof, 'and ends';

done_testing;
