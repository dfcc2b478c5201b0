# A server that answers DEADLINE_EXCEEDED to a client which has set the limit itself (grpc-timeout) is neither ejected nor does it open
# the breaker; without such a limit that is a failure.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Http2 ':all';
use Weir::Test;

my $w     = Weir::Test->new("a client's own limit ejects no server")->needs_weir;
my $serve = sub {
    $w->peer(sub ($c) {
        my $h2 = Weir::Http2::serve($c);
        $h2->{deadline} = 60;
        while (my $f = $h2->next_frame) {
            my $s = $f->{stream};
            next unless $s && $f->{type} =~ /^(?:DATA|HEADERS)$/ && $f->{flags} & 1;
            $h2->write(headers($s, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 4));
        }
    });
};
my ($one, $two) = ($serve->(), $serve->());
$w->allow_log(qr/ejected|circuit breaker/);
$w->conf(<<"END", workers => 1);
    upstream up { server $one max_fails=0; server $two max_fails=0;
                  outlier_detection consecutive_5xx=3 max_ejection=100%; circuit_breaker minimum=10; }
    server { http2 on; location / { grpc_pass up; } location /status { status; } }
END
my $c    = Weir::Http2::client($w);
my $call = sub (@more) {
    $c->ask(':method' => 'POST', ':path' => '/x', 'content-type' => 'application/grpc', te => 'trailers', @more, body => "\0\0\0\0\3abc");
    return { $c->head->%*, $c->trailers->%* }->{'grpc-status'};
};
my $told = sub { decode_json($w->get('/status')->body)->{upstreams}{up} };

is scalar(grep { $call->('grpc-timeout' => '60S') == 4 } 1 .. 20), 20, 'no call is answered in its time';
is $told->()->{outlier_detection}{ejected}, 0, 'no server is ejected';
is $told->()->{circuit_breaker}{state}, 'closed', 'the breaker is closed';
$call->() for 1 .. 10;
is $told->()->{outlier_detection}{ejected}, 2, 'without a limit of theirs both are';

done_testing;
