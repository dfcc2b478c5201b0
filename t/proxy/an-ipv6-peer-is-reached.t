use v5.36;
use lib 't/lib';
use IO::Socket::IP;
use Weir::Test;

IO::Socket::IP->new(LocalHost => '::1', LocalPort => 0, Listen => 1) or plan(skip_all => 'there is no ::1 here');

my $w      = Weir::Test->new('an IPv6 peer is reached');
my $origin = $w->echo_origin(host => '::1');
my $port   = $origin->port;
$w->conf("upstream six { server $origin; keepalive 2; } server { location / { proxy_pass http://six; } location /direct/ { proxy_pass http://[::1]:$port/; } }", workers => 1);

is $w->seen($w->get('/'))->target, '/', 'in a group';
my $seen = $w->seen($w->get('/direct/x'));
is $seen->target, '/x', 'by its address';
is $seen->header('Host'), "[::1]:$port", 'which is the Host, with its brackets';

done_testing;
