use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('chunked_transfer_encoding can be turned off');
my $origin = $w->origin(sub ($c) { $c->reply_chunked(200, [ 'a', 'bc' ]) });
$w->conf("server { location / { proxy_pass http://$origin; } location /off { proxy_pass http://$origin; chunked_transfer_encoding off; } }");

is $w->client->get('/')->framing, 'chunked', 'on';
my $client = $w->client;
my $answer = $client->get('/off');
is $answer->framing, 'close', 'off: it ends with the connection';
is $answer->body, 'abc', 'whole';

done_testing;
