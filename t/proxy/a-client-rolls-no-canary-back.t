# Calls that end by the client's own limit (grpc-timeout) say nothing about a canary: no client can roll it back with limits that nobody
# keeps.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w     = Weir::Test->new('a client rolls no canary back')->needs_weir;
my $serve = sub ($slow) {
    $w->peer(sub ($c) {
        my $h2 = Weir::Http2::serve($c);
        $h2->{deadline} = 60;
        while (my $f = $h2->next_frame) {
            my $s = $f->{stream};
            next unless $s && $f->{type} =~ /^(?:DATA|HEADERS)$/ && $f->{flags} & 1;
            next if $slow;
            $h2->write(headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc') . data($s, "\0\0\0\0\1x")
                . headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => 0));
        }
    });
};
my $new = $serve->(1);
my $old = $serve->(0);
$w->allow_log(qr/store_path|deadline/i);
$w->conf(<<"END", workers => 1);
    upstream old { server $old; } upstream new { server $new max_fails=0; }
    server {
        http2 on;
        location / { grpc_pass old weight=1; grpc_pass new weight=0; canary c new steps=50 interval=1h min_requests=4; }
    }
END
my $c    = Weir::Http2::client($w);
my $call = sub {
    $c->ask(':method' => 'POST', ':path' => '/x', 'content-type' => 'application/grpc', te => 'trailers', 'grpc-timeout' => '50m',
        body => "\0\0\0\0\3abc");
    return { $c->head->%*, $c->trailers->%* }->{'grpc-status'};
};
is scalar(grep { $call->() == 4 } 1 .. 20), 10, 'half of the calls go to the release, and none is answered in time';
unlike $w->error_log, qr/rolled back/, 'it stays';

done_testing;
