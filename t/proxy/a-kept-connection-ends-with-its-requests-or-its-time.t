use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a kept connection ends with its requests or its time');
my $origin = $w->echo_origin;
$w->conf(<<"END", workers => 1);
    upstream requests { server $origin; keepalive 4; keepalive_requests 3; }
    upstream idle     { server $origin; keepalive 4; keepalive_timeout 100ms; }
    upstream age      { server $origin; keepalive 4; keepalive_time 100ms; }
    server {
        location /requests { proxy_pass http://requests; }
        location /idle     { proxy_pass http://idle; }
        location /age      { proxy_pass http://age; }
    }
END

my $client = $w->client;
my $served = sub ($target) { $w->seen($client->get($target))->{served} };
is join(' ', map { $served->('/requests') } 1 .. 6), '1 2 3 1 2 3', 'keepalive_requests 3';

$served->('/idle');
my $ended = $origin->ended;
$origin->wait_ended($ended + 1);
is $served->('/idle'), 1, 'keepalive_timeout: closed while nobody used it';

my $last = 0;
$w->wait_until('a new connection', sub {
    my $now = $served->('/age');
    my $fresh = $now == 1 && $last > 1;
    $last = $now;
    select undef, undef, undef, 0.01;
    return $fresh;
});
pass 'keepalive_time: a busy connection too ends when it is old';

done_testing;
