# What Weir answers by itself to a gRPC call is a gRPC answer: HTTP 200, trailers only, the status that gRPC's HTTP mapping gives.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('errors of Weir are told as gRPC statuses');
my $silent = $w->peer(sub ($c) { my $h2 = Weir::Http2::serve($c); $h2->{deadline} = 60; 1 while $h2->next_frame });
my $resets = $w->peer(sub ($c) { my $h2 = Weir::Http2::serve($c); while (my $r = $h2->next_request) { $h2->write(rst($r->{stream}, 'INTERNAL_ERROR')) } });
my $bad    = $w->peer(sub ($c) { my $h2 = Weir::Http2::serve($c); while (my $r = $h2->next_request) { $h2->write(headers($r->{stream}, 'END_HEADERS', 'x-a' => 1)) } });
my $old    = $w->peer(sub ($c) { $c->raw("HTTP/1.1 400 Bad Request\r\n\r\n"); eval { $c->take_all } });
my $dead   = $w->refused_peer;
my %returns = map { $_ => 1 } 400, 401, 403, 404, 413, 429, 500, 502, 503, 504;
$w->conf("server { http2 on; client_max_body_size 10; grpc_read_timeout 200ms; grpc_connect_timeout 1s;
    " . join(' ', map { "location /$_ { return $_; grpc_pass $dead; }" } sort keys %returns) . "
    location /dead { grpc_pass $dead; } location /silent { grpc_pass $silent; } location /resets { grpc_pass $resets; }
    location /bad { grpc_pass $bad; } location /old { grpc_pass $old; } }", workers => 1);

my %status = (400 => 13, 401 => 16, 403 => 7, 404 => 12, 413 => 8, 429 => 14, 500 => 2, 502 => 14, 503 => 14, 504 => 14,
    dead => 14, silent => 14, resets => 14, bad => 14, old => 14);
my $c = Weir::Http2::client($w);
for my $place (sort keys %status) {
    is $c->ask(':method' => 'POST', ':path' => "/$place", 'content-type' => 'application/grpc', te => 'trailers', body => "\0\0\0\0\0"), '200',
        "$place: the answer is gRPC's";
    my %said = ($c->head->%*, $c->trailers->%*);
    is $said{'grpc-status'}, $status{$place}, "$place: grpc-status";
    like $said{'grpc-message'} // '', qr/^[a-z][a-z0-9._]+$/, "$place: grpc-message is the cause";
    is $c->body, '', "$place: without a body";
    like $said{'content-type'}, qr{^application/grpc}, "$place: as gRPC";
}
is $c->ask(':method' => 'POST', ':path' => '/404', 'content-type' => 'text/plain', body => 'x'), '404', 'what is no gRPC gets its status';
is $c->ask(':method' => 'POST', ':path' => '/silent', 'content-type' => 'application/grpc', te => 'trailers', body => 'x' x 11), '200', 'a body that is too large';
is { $c->head->%*, $c->trailers->%* }->{'grpc-status'}, 8, 'is RESOURCE_EXHAUSTED';
$c->close;

done_testing;
