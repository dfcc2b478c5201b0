use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a client that stops reading is dropped after send_timeout');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'x' x 20_000_000) });
$w->conf("send_timeout 300ms; proxy_max_temp_file_size 0; server { location / { proxy_pass http://$origin; } }");

my $client = $w->client(rcvbuf => 4096);
$client->send_request('GET', '/big');
$w->wait_for_access(qr{GET /big });       # the origin's own end says nothing: all of it may wait in the kernel
pass 'the request was given up';
my $all = $client->take_all;
cmp_ok length $all, '<', 20_000_000, 'the client did not get it all';

done_testing;
