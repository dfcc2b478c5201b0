# A canary of gRPC services: calls that end with UNAVAILABLE, behind a message or instead of one, are failures; those
# that end with NOT_FOUND are not.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w     = Weir::Test->new('a canary whose calls fail is rolled back');
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
$w->allow_log(qr/store_path/);
my $two = 'grpc_pass old weight=1; grpc_pass new weight=0;';
$w->conf(<<"END", workers => 1);
    upstream old { server $old; } upstream new { server $new max_fails=0; }
    server {
        http2 on;
        location /late/ { $two canary late new steps=50 interval=1h min_requests=4; }
        location /only/ { $two canary only new steps=50 interval=1h min_requests=4; }
        location /fine/ { $two canary fine new steps=50 interval=1h min_requests=4; }
    }
END
my $c = Weir::Http2::client($w);
my $call = sub ($path) {
    $c->ask(':method' => 'POST', ':path' => $path, 'content-type' => 'application/grpc', te => 'trailers', body => "\0\0\0\0\3abc");
    return { $c->head->%*, $c->trailers->%* }->{'grpc-status'};
};
for my $how (qw(late only)) {
    my $failed = grep { $call->("/$how/x") == 14 } 1 .. 20;
    is $failed, 4, "$how: after four failures it is rolled back";
    like $w->error_log, qr/canary "$how": new is rolled back from step 1 because of its errors: 4 of 4/, 'because of them';
}
is scalar(grep { $call->('/fine/x') == 5 } 1 .. 20), 10, 'NOT_FOUND is no failure of a service';
unlike $w->error_log, qr/canary "fine"/, 'it stays';

done_testing;
