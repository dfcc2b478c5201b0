use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('an idle connection closes after keepalive_timeout');
$w->conf('keepalive_timeout 200ms 15s; server { location / { return 200 ok; } location /never { keepalive_timeout 0; return 200 ok; } }');

my $client = $w->client;
my $answer = $client->get('/');
is $answer->header('Keep-Alive'), 'timeout=15', 'the second argument is announced';
ok $client->at_eof, 'it closes by itself';
ok !$client->was_reset, 'by a FIN';

$client = $w->client;
$answer = $client->get('/never');
is $answer->header('Connection'), 'close', 'timeout 0: not kept at all';
ok $client->at_eof, 'and closed';

done_testing;
