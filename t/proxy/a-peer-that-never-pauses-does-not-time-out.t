# proxy_read_timeout is renewed by every read, not only when the worker has to wait.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a peer that never pauses does not time out');
my $block  = 'x' x 1_048_576;
my $origin = $w->origin(sub ($c) {
    $c->raw("HTTP/1.1 200 OK\r\nContent-Length: " . 120 * length($block) . "\r\n\r\n");
    $c->raw($block) or return for 1 .. 120;
    $c->note('all');
});
$w->conf(<<"END", workers => 1);
    proxy_temp_path %%DIR%%/proxy-temp;
    proxy_read_timeout 60ms;
    server { location / { proxy_pass http://$origin; } }
END

my $client = $w->client(rcvbuf => 4096)->send_request('GET', '/');
$origin->wait_note('all');
pass 'the peer could send all of it';
$client->close;
unlike $w->error_log, qr/proxy_read_timeout/, 'and was not called silent';

done_testing;
