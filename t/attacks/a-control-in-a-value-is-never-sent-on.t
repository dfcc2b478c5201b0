# What a client encodes in its path (%01, %7f) and a variable decodes: in no head, toward the peer or the client (RFC 9110 §5.5), and over
# HTTP/2 without the blanks at its ends, which would make the head malformed (RFC 9113 §8.2.1), so that no client makes a peer look broken.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('a control in a value is never sent on');
my $origin = $w->origin;
my $call   = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $f = $h2->next_frame) {
        next unless $f->{type} eq 'HEADERS';
        $c->note("<$_->[1]>") for grep { $_->[0] eq 'x-id' } $f->{fields}->@*;
        $h2->write(headers($f->{stream}, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 0));
    }
});
$w->conf(<<"END", workers => 1);
    server {
        http2 on;
        route up   { match path_template=/up/{up};     request_header set X-Id "\$route_up";  proxy_pass http://$origin; }
        route down { match path_template=/down/{down}; response_header set X-Id "\$route_down"; return 200; }
        route call { match path_template=/call/{call}; request_header set X-Id "\$route_call"; grpc_pass $call; }
        route hear { match path_template=/hear/{hear}; response_header set X-Id "\$route_hear"; return 200; }
    }
END
for my $place ('', 'x' x 7, 'x' x 8, 'x' x 15, 'x' x 40) {
    for my $byte (1, 8, 11, 12, 0x1b, 0x1f, 0x7f) {
        my $text = sprintf '%s%%%02x%s', $place, $byte, $place;
        my $before = $origin->requests;
        is $w->get("/up/$text")->status, 500, "$text: is not sent to the peer";
        is $origin->requests, $before, 'not a part of it';
        is $w->get("/down/$text")->status, 500, 'nor to the client';
    }
}
for my $good ('%09x', 'x%09y', '%c3%bc', '%20') {
    is $w->get("/up/$good")->status, 200, "$good: is sent";
    is $w->get("/down/$good")->status, 200, 'both ways';
}

for my $case ([ '%20a', 'a' ], [ 'a%20', 'a' ], [ '%09%20a%20b%09', 'a b' ], [ '%20', '' ]) {
    my ($text, $seen) = @$case;
    my $h2 = Weir::Http2::client($w);
    is $h2->ask(':path' => "/call/$text", 'content-type' => 'application/grpc', te => 'trailers'), 200, "$text: a call";
    $call->wait_note("<$seen>");
    is +($call->notes)[-1], "<$seen>", 'without blanks at its ends';
    $h2->close;
    $h2 = Weir::Http2::client($w);
    $h2->request(1, ':path' => "/hear/$text");
    my $head;
    while (my $f = $h2->next_frame) { $head = $f, last if $f->{type} eq 'HEADERS' }
    is_deeply [ map { $_->[1] } grep { $_->[0] eq 'x-id' } $head->{fields}->@* ], [$seen], 'nor with them to the client';
    $h2->close;
}
$w->allow_log(qr/internal\.emit/);

done_testing;
