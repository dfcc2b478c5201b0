# A peer of HTTP/2 has sent the whole answer but not the end of its stream: the client has all, its stream has ended both ways, and the
# request is still at work.  It is told when the connection goes, and it counts as a stream until it ends.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('a request that outlives its connection is told');
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $f = $h2->next_frame) {
        if ($f->{type} eq 'HEADERS') {
            my %h = map { @$_ } $f->{fields}->@*;
            my ($status) = $h{':path'} =~ /(\d+)/;
            $h2->write(headers($f->{stream}, 'END_HEADERS', ':status' => $status, $status == 204 ? () : ('content-length' => 5))
                . ($status == 200 && $h{':method'} ne 'HEAD' ? data($f->{stream}, 'hello') : ''));
        }
        $c->note('reset ' . $Weir::Http2::ERRORS[unpack 'N', $f->{payload}]) if $f->{type} eq 'RST_STREAM';
    }
});
$w->conf(<<"END", workers => 1);
    log_format judged '\$request_method \$uri \$status'; access_log logs/judged.log judged;
    upstream peers { server $peer max_fails=0; }
    server { http2 on; http2_max_concurrent_streams 2; location / { proxy_pass http://peers; proxy_http_version 2; } location /own { return 200; } }
END

my $resets = 0;
for ([ GET => 200 ], [ HEAD => 200 ], [ GET => 204 ], [ GET => 304 ]) {
    my ($method, $status) = @$_;
    my $c = Weir::Http2::client($w);
    $c->request(1, ':path' => "/$status", ':method' => $method);
    is $c->verdict(1, waits => 1), $status, "$method, $status: the client has its answer";
    $c->close;
    $resets++;
    $w->wait_until("$method, $status: the peer is told", sub { $resets == grep { /reset CANCEL/ } $peer->notes });
    is $w->wait_for_access(qr{^$method /$status (\d+)$}m, 'judged.log'), $status, "$method, $status: the request is over and logged";
}

my $c = Weir::Http2::client($w);
$c->request($_, ':path' => '/200', ':method' => 'HEAD') for 1, 3;
is $c->verdict($_, waits => 1), '200', "stream $_ has its answer" for 1, 3;
$c->request(5, ':path' => '/own');
is $c->verdict(5, waits => 1), 'rst REFUSED_STREAM', 'requests that are at work count as streams';
$c->close;
$w->wait_until('both peers are told', sub { $resets + 2 == grep { /reset CANCEL/ } $peer->notes });
is $w->get('/own')->status, 200, 'the worker serves on';

done_testing;
