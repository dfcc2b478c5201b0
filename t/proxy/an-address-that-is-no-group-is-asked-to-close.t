use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an address that is no group is asked to close');
my $origin = $w->echo_origin;
$w->conf("server { location / { proxy_pass http://$origin; } }", workers => 1);

my $client = $w->client;
for my $n (1 .. 2) {
    my $seen = $w->seen($client->get('/'));
    is $seen->header('Connection'), 'close', "request $n: Connection: close";
    is $seen->{number}, $n, "request $n: a connection of its own";
}

done_testing;
