# retry on=grpc-…: a call that a peer ends with such a status before any message goes to another, with its message; a status that is not named, one behind
# a message, and the last try's are the client's.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('calls that end with a status before a message are made again');
my $serve = sub ($name, $answer) {
    $w->peer(sub ($c) {
        my $h2 = Weir::Http2::serve($c);
        $h2->{deadline} = 60;
        my (%body, %path);
        while (my $f = $h2->next_frame) {
            my $s = $f->{stream};
            $path{$s} = { map { @$_ } $f->{fields}->@* }->{':path'} if $f->{type} eq 'HEADERS';
            $body{$s} .= $f->{payload} if $f->{type} eq 'DATA';
            next unless $s && $f->{type} =~ /^(?:DATA|HEADERS)$/ && $f->{flags} & 1;
            $c->note("$path{$s} " . length $body{$s});
            $h2->write($answer->($s, $path{$s}));
        }
    });
};
my $only = sub ($s, $status) { headers($s, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => $status) };
my $late = sub ($s, $status) { headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc') . data($s, "\0\0\0\0\1x") . headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => $status) };
my $bad  = $serve->(bad => sub ($s, $path) { $path =~ m{/late/(\d+)} ? $late->($s, $1) : $path =~ m{/(\d+)$} ? $only->($s, $1) : $only->($s, 14) });
my $good = $serve->(good => sub ($s, $path) { $late->($s, 0) });
$w->allow_log(qr/upstream/);
$w->conf(<<"END", workers => 1);
    log_format s '\$uri \$upstream_status';
    access_log logs/s.log s;
    upstream both { server $bad max_fails=0 weight=1000; server $good; }
    upstream bad { server $bad max_fails=0; }
    server {
        http2 on;
        location / { retry 2 on=grpc-unavailable,grpc-resource-exhausted; grpc_pass both; }
        location /none { retry 2; grpc_pass both; }
        location /bad { retry 2 on=grpc-unavailable; grpc_pass bad; }
    }
END
my $c = Weir::Http2::client($w);
sub call ($path, $body = "\0\0\0\0\3abc") {
    is $c->ask(':method' => 'POST', ':path' => $path, 'content-type' => 'application/grpc', te => 'trailers', body => $body), '200', "$path is answered";
    return { $c->head->%*, $c->trailers->%* }->{'grpc-status'};
}
is call('/a/14'), 0, 'UNAVAILABLE: the other is asked';
is_deeply [ $bad->notes, $good->notes ], [ '/a/14 8', '/a/14 8' ], 'both had the message';
is call('/a/8'), 0, 'RESOURCE_EXHAUSTED: it is named';
is call('/a/5'), 5, 'NOT_FOUND: it is not';
is call('/a/late/14'), 14, 'behind a message nothing can be done';
is call('/a/99'), 99, 'a status that is none';
is call('/none/14'), 14, 'without on= no status is a failure';
is call('/bad/14'), 14, 'the last answer is the client\'s';
is scalar(grep { m{^/bad/14 } } $bad->notes), 3, 'after three tries of one peer';
$c->close;
my ($code, $said) = $w->allow_log(qr/\[emerg\]/)->check_conf('server { location / { retry 2 on=grpc-odd; proxy_pass http://127.0.0.1:1; } }');
like $said, qr/grpc-unavailable/, 'a name that is none';
done_testing;
