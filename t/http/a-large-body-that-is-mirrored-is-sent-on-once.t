# mirror: a body that is read ahead in several turns, as it comes, is passed on once, and so is its copy.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a large body that is mirrored is sent on once');
my $origin = $w->origin(sub ($c) { $c->reply(200, length $c->request->body) });
my $copies = $w->origin(sub ($c) { $c->reply(200, '') });
$w->conf(<<"END", workers => 1);
    client_max_body_size 0;
    client_body_buffer_size 64m;
    server {
        location / { mirror /copy; proxy_pass http://$origin; }
        location = /copy { internal; proxy_pass http://$copies; }
    }
END

my ($n, $size, $right) = (400, 300_000, 0);
my $client = $w->client;
for my $try (1 .. $n) {
    $client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: $size\r\n\r\n" . 'x' x 140_000);
    $client->send('x' x 40_000) for 1 .. 4;
    $right += $client->read_response->body == $size;
}
is $right, $n, 'every body came whole';
is $origin->requests, $n, 'each was sent on once';
$w->wait_until('the copies have come', sub { $copies->requests >= $n });
is $copies->requests, $n, '… and one copy of each';
unlike $w->error_log, qr/panic|exited on signal/, 'nothing broke';

done_testing;
