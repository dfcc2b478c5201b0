# RFC 9113 §8.1: a server may answer before the whole request is there; what the client had sent by then is no fault of its own,
# however many uploads there were.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('uploads answered early may end quietly');
$w->conf('http2_max_concurrent_streams 256; server { http2 on; client_max_body_size 0; location / { return 200 early; } }', workers => 1);

my $c     = Weir::Http2::client($w);
my @ids   = map { 2 * $_ + 1 } 0 .. 199;
$c->write(join '', map { headers($_, 'END_HEADERS', Weir::Http2::request_fields(':method' => 'POST')) } @ids);
my %is;
until (keys %is == @ids) {
    my $f = $c->next_frame or last;
    $is{ $f->{stream} } = 1 if $f->{type} eq 'RST_STREAM' || ($f->{type} eq 'DATA' && $f->{flags} & 1);
    die "GOAWAY\n" if $f->{type} eq 'GOAWAY';
}
is scalar(keys %is), 200, 'all are answered before their ends';

$c->write(join '', map { data($_, 'more') } @ids);
$c->write(join '', map { headers($_, 'END_HEADERS END_STREAM', 'x-sum' => 'abc') } @ids);
is $c->ask, '200', 'bytes and trailers of all of them are read away, and the connection serves on';
$c->close;

done_testing;
