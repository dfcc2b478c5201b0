use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('connection is kept or closed as proxy_set_header says');
my $origin = $w->echo_origin;
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server {
        location /empty { proxy_pass http://api; proxy_set_header Connection ""; proxy_http_version 1.1; }
        location /close { proxy_pass http://api; proxy_set_header Connection close; }
        location /map   { proxy_pass http://api; proxy_set_header Connection \$http_connection; proxy_set_header Upgrade \$http_upgrade; }
    }
END

my $client = $w->client;
is $w->seen($client->get('/empty'))->{served}, $_, 'Connection "" keeps' for 1 .. 2;
my $seen = $w->seen($client->get('/close'));
is $seen->header('Connection'), 'close', 'close is said';
$origin->wait_ended(1);
pass 'and meant';
$seen = $w->seen($client->get('/map', Connection => 'X-Evil, keep-alive', 'X-Evil' => 1));
is $seen->header('Connection'), undef, "what a client says of its connection does not become a word about ours";
is $seen->header('X-Evil'), undef, 'nor do the fields it names pass';
is $seen->{number}, 2, 'a fresh connection after the one that was closed';

done_testing;
