# max_fails counts failures of peers: neither a call whose own deadline (grpc-timeout) was too short, nor a time of the place that passed
# while the client's body was what was waited for.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w     = Weir::Test->new('no client makes a good peer rest')->allow_bad;       # (bodies that break off)
my $serve = sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $f = $h2->next_frame) {
        $h2->write(headers($f->{stream}, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 0))
            if $f->{type} eq 'HEADERS' && grep { $_->[1] eq '/calls.V/Good' } $f->{fields}->@*;
    }
};
my ($call, $other_call) = ($w->peer($serve), $w->peer($serve));
my $slow = sub ($c) {
    my $r = $c->request;
    $c->wait_for('never') if $r->target =~ /silent/;
    $c->read_body;
    $c->reply(200, 'ok');
};
my ($peer, $other) = map { $w->origin($slow, body => 0) } 1, 2;
$w->conf(<<"END", workers => 1);
    upstream calls { server $call fail_timeout=60s; server $other_call fail_timeout=60s; }
    upstream all   { server $peer fail_timeout=60s; server $other fail_timeout=60s; }
    upstream tries { server $peer fail_timeout=60s; server $other fail_timeout=60s; }
    upstream ill   { server $peer fail_timeout=60s; server $other fail_timeout=60s; }
    proxy_next_upstream off;
    server {
        http2 on;
        proxy_request_buffering off;
        location /calls { grpc_pass calls; }
        location /all   { timeout 500ms; proxy_pass http://all; }
        location /tries { try_timeout 500ms; proxy_pass http://tries; }
        location /ill   { timeout 50ms; proxy_pass http://ill; }
    }
END
my $ask = sub ($method, @fields) {
    my $h2 = Weir::Http2::client($w);
    $h2->request(1, ':method' => 'POST', ':path' => "/calls.V/$method", 'content-type' => 'application/grpc', te => 'trailers', @fields);
    my $status;
    until (defined $status) {
        my $f = $h2->next_frame or last;
        next unless $f->{type} eq 'HEADERS';
        ($status) = map { $_->[1] } grep { $_->[0] eq 'grpc-status' } $f->{fields}->@*;
    }
    $h2->close;
    return $status;
};
is $ask->('Good'), 0, 'a call';
is $ask->('Bad', 'grpc-timeout' => '1m'), 4, 'one that gives no time' for 1 .. 4;
is $ask->('Good'), 0, 'harms no other';

for my $place ('/all', '/tries') {
    for (1 .. 4) {
        my $client = $w->client;
        $client->send("PUT $place HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000\r\n\r\nabc");
        is $client->read_response->status, 504, "$place: a body that does not come";
        $client->close;
    }
    is $w->request('PUT', $place, body => 'abc')->status, 200, 'harms no other either';
}
is $w->get('/ill/silent')->status, 504, 'a peer that does not answer' for 1, 2;
is $w->get('/ill')->status, 502, 'rests, as ever';

done_testing;
