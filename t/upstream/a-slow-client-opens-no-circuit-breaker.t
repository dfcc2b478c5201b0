# How long a client takes to send its request is not the server's time: it makes nothing slow for circuit_breaker, outlier_detection or
# least_time, however the body is passed on.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep);
use Weir::Test;

my $w      = Weir::Test->new('a slow client opens no circuit breaker')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'origin') });
my $other  = $w->origin(sub ($c) { $c->reply(200, 'other') });
$w->conf(<<"END", workers => 1);
    upstream up { server $origin; circuit_breaker slow=300ms slow_rate=50% minimum=2 window=60s; }
    upstream fast { server $origin; server $other; least_time header; }
    server {
        location /up/ { proxy_pass http://up/; proxy_request_buffering off; }
        location /fast/ { proxy_pass http://fast/; proxy_request_buffering off; }
        location /status { status; }
    }
END
my $told = sub ($name) { decode_json($w->get('/status')->body)->{upstreams}{$name} };

for my $path ('/up/', '/fast/') {
    my @clients = map {
        $w->client->send("POST $path HTTP/1.1\r\nHost: w\r\nContent-Length: 10\r\n\r\n12345")
    } 1 .. 2;
    sleep 0.6;
    $_->send('67890') for @clients;
    is $_->read_response->status, 200, "$path: answered" for @clients;
}
is $told->('up')->{circuit_breaker}{state}, 'closed', 'the breaker is closed';
my $peers = $told->('fast')->{peers};
for my $name (sort keys %$peers) {
    cmp_ok $peers->{$name}{least_time}{average_seconds}, '<', 0.3, "$name is as fast as it was";
}

done_testing;
