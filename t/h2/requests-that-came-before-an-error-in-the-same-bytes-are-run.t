# Heads that come together are read before the first of them runs.  What came before an error in the same bytes counts all the same: requests are
# logged, and whole answers of a peer reach their clients.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('requests that came before an error in the same bytes are run');
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    my @open;
    while (my $f = $h2->next_frame) {
        next unless $f->{type} eq 'HEADERS';
        push @open, $f->{stream};
        next if @open < 4;
        my @answers = map { headers($_, 'END_HEADERS', ':status' => 200, 'x-stream' => $_) } @open;
        my @bodies  = (data($open[0], 'small', 'END_STREAM'), data($open[1], 'l' x 3000, 'END_STREAM'),
            data($open[2], 'with') . headers($open[2], 'END_HEADERS END_STREAM', 'x-end' => 'a trailer'),
            data($open[3], 'not whole'));
        $h2->write(join('', @answers, @bodies) . frame('PING', '', 0, 'not eight'));      # FRAME_SIZE_ERROR
    }
});
my $silent = $w->peer(sub ($c) { 1 while $c->fill });
$w->conf(<<"END", workers => 1);
    log_format judged '\$uri \$status \$weir_cause'; access_log logs/judged.log judged;
    upstream peers { server $peer max_fails=0; }
    server {
        http2 on;
        location / { return 204; }
        location /reset { proxy_pass http://$silent; }
        location /peer { proxy_pass http://peers; proxy_http_version 2; proxy_pass_trailers on; proxy_buffering off; proxy_next_upstream off; }
    }
END

my $c = Weir::Http2::client($w);
$c->write(join '', (map { headers(2 * $_ + 1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => "/before/$_")) } 0 .. 3),
    frame('PING', '', 0, 'not eight'));
is $c->verdict(9), 'goaway FRAME_SIZE_ERROR', 'a frame that ends the connection, behind four requests';
ok $w->wait_for_access(qr{^(/before/$_ .*)$}m, 'judged.log'), "request $_ is logged" for 0 .. 3;

$c = Weir::Http2::client($w);
$c->write(headers(1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/reset')) . rst(1)
    . headers(3, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/after')));
is $c->verdict(3, waits => 1), '204', 'a request is taken back in the bytes that brought it, the next one is answered';
like $w->wait_for_access(qr{^(/reset .*)$}m, 'judged.log'), qr{ 499 client\.closed$}, '… and it is logged';

$c = Weir::Http2::client($w);
$c->write(join '', map { headers($_, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => "/peer/$_")) } 1, 3, 5, 7);
my (%got, %ended);
until (4 == keys %ended) {
    my $f = $c->next_frame // last;
    my $id = $f->{stream};
    $got{$id} .= join '', map { "$_->[0]=$_->[1];" } grep { $_->[0] =~ /^(?:x-end|:status)$/ } $f->{fields}->@* if $f->{type} eq 'HEADERS';
    $got{$id} .= length $f->{payload} if $f->{type} eq 'DATA' && length $f->{payload};
    $got{$id} .= ' reset' if $f->{type} eq 'RST_STREAM';
    $ended{$id} = 1 if $f->{type} eq 'RST_STREAM' || ($f->{type} =~ /HEADERS|DATA/ && $f->{flags} & 1);
}
is $got{1}, ':status=200;5', 'of four answers before an error of their peer: one with a small body';
is $got{3}, ':status=200;3000', 'one with a large one';
is $got{5}, ':status=200;4x-end=a trailer;', 'one with trailers';
like $got{7}, qr/^:status=200;9? reset$/, 'and one that is not whole, which breaks off';

done_testing;
