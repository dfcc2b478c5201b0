use v5.36;
use lib 't/lib';
use Digest::SHA qw(sha1_hex);
use Weir::Test;

my $w    = Weir::Test->new('a buffered body is sent whole to the next peer');
my $bad  = $w->peer(sub ($c) { $c->read_head; $c->take(100_000); $c->reset });
my $good = $w->origin(sub ($c) { $c->reply(200, $c->request->framing . ' ' . sha1_hex($c->request->body)) });
$w->conf(<<"END", workers => 1);
    upstream api { server $bad max_fails=0; server $good backup; keepalive 0; }
    client_max_body_size 0;
    client_body_buffer_size 16k;
    server { location / { proxy_pass http://api; } }
END

my $body = join '', map { sprintf "%09d\n", $_ } 1 .. 300_000;
for my $n (1 .. 2) {
    my $client = $w->client->send_request('PUT', '/', body => $body);
    is $client->read_response->body, 'length ' . sha1_hex($body), "$n: the second peer had all of it";
}
is $bad->requests, 2, 'the first peer had part of it';

done_testing;
