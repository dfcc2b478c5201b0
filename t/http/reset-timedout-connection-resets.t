use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('reset_timedout_connection resets');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'x' x 20_000_000) });
$w->conf("send_timeout 200ms; reset_timedout_connection on; proxy_max_temp_file_size 0; server { location / { proxy_pass http://$origin; } }");

my $client = $w->client(rcvbuf => 4096);
$client->send_request('GET', '/big');
$w->wait_for_access(qr{GET /big });       # the origin's own end says nothing: all of it may wait in the kernel
$client->take_all;
ok $client->was_reset, 'the end is an RST';

done_testing;
