# A server whose gRPC calls end with UNAVAILABLE, behind a message or instead of one, is an outlier; one whose calls end
# with NOT_FOUND is none.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w     = Weir::Test->new('a server whose calls fail is ejected');
my $serve = sub ($name, $answer) {
    $w->peer(sub ($c) {
        my $h2 = Weir::Http2::serve($c);
        $h2->{deadline} = 60;
        my %path;
        while (my $f = $h2->next_frame) {
            my $s = $f->{stream};
            $path{$s} = { map { @$_ } $f->{fields}->@* }->{':path'} if $f->{type} eq 'HEADERS';
            next unless $s && $f->{type} =~ /^(?:DATA|HEADERS)$/ && $f->{flags} & 1;
            $h2->write($answer->($s, $path{$s}));
        }
    });
};
my $only = sub ($s, $status) { headers($s, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => $status) };
my $late = sub ($s, $status) { headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc') . data($s, "\0\0\0\0\1x") . headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => $status) };
my $new  = $serve->(new => sub ($s, $path) { $path =~ m{/late/} ? $late->($s, 14) : $path =~ m{/only/} ? $only->($s, 14) : $late->($s, 5) });
my $old  = $serve->(old => sub ($s, $path) { $late->($s, 0) });
$w->conf(<<"END", workers => 1);
    upstream late { server $old; server $new max_fails=0; outlier_detection consecutive_gateway=3 consecutive_5xx=0; }
    upstream only { server $old; server $new max_fails=0; outlier_detection consecutive_5xx=3; }
    upstream fine { server $old; server $new max_fails=0; outlier_detection consecutive_5xx=1; }
    server {
        http2 on;
        location /late/ { grpc_pass late; }
        location /only/ { grpc_pass only; }
        location /fine/ { grpc_pass fine; }
    }
END
my $c = Weir::Http2::client($w);
my $call = sub ($path) {
    $c->ask(':method' => 'POST', ':path' => $path, 'content-type' => 'application/grpc', te => 'trailers', body => "\0\0\0\0\3abc");
    return { $c->head->%*, $c->trailers->%* }->{'grpc-status'};
};
for my $how (qw(late only)) {
    is scalar(grep { $call->("/$how/x") == 14 } 1 .. 20), 3, "$how: after three failures it is ejected";
    like $w->error_log, qr/upstream server ejected .*: 3 failures in a row, the last answer was 503: .* of upstream "$how"/, 'because of them';
}
is scalar(grep { $call->('/fine/x') == 5 } 1 .. 20), 10, 'NOT_FOUND is no failure of a server';
unlike $w->error_log, qr/of upstream "fine"/, 'it stays';

done_testing;
