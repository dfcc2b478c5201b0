# The last request that keepalive_requests allows brings GOAWAY with its number; what comes behind it is not served, and may be sent elsewhere.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('keepalive_requests are counted exactly');
$w->conf('keepalive_requests 100; server { http2 on; location / { return 204; } }', workers => 1);

my $c = Weir::Http2::client($w);
$c->write(join '', map { headers(2 * $_ + 1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields()) } 0 .. 299);
my ($answers, @goaway) = 0;
while (my $f = $c->next_frame) {
    $answers++ if $f->{type} eq 'HEADERS';
    push @goaway, join ' ', unpack 'NN', $f->{payload} if $f->{type} eq 'GOAWAY';
}
is $answers, 100, 'a hundred of three hundred are answered';
is "@goaway", '199 0', 'GOAWAY names the last of them';
is $w->get('/')->status, 204, 'another connection is served';

done_testing;
