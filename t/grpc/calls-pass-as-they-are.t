# Metadata, with binary values, both ways; trailers-only answers; either side ends first; a cancelled call is cancelled upstream.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('calls pass as they are');
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    $h2->{deadline} = 60;
    my %call;
    while (my $f = $h2->next_frame) {
        my $s = $f->{stream};
        if ($f->{type} eq 'HEADERS') {
            my %h = map { @$_ } $f->{fields}->@*;
            $call{$s} = { path => $h{':path'}, got => '' };
            $c->note(join ' ', map { "$_=" . ($h{$_} // 'none') } qw(:method :path content-type te x-meta-bin grpc-encoding grpc-accept-encoding user-agent authorization));
            if ($h{':path'} eq '/only') { $h2->write(headers($s, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 5, 'grpc-message' => 'no%20such')); next }
            if ($h{':path'} eq '/early') {
                $h2->write(headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc') . data($s, "\0\0\0\0\1e") . headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => 0));
                next;
            }
            $h2->write(headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc+proto', 'x-answer-bin' => 'AAEC'));
        }
        $h2->write(data($s, $f->{payload}) . window(0, length $f->{payload}) . window($s, length $f->{payload})) if $f->{type} eq 'DATA' && length $f->{payload} && $call{$s}{path} eq '/echo';
        $h2->write(headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => 0, 'x-trail-bin' => 'AwQF')) if $f->{flags} & 1 && $f->{type} =~ /DATA|HEADERS/ && $call{$s}{path} eq '/echo';
        $c->note('reset ' . $Weir::Http2::ERRORS[unpack 'N', $f->{payload}]) if $f->{type} eq 'RST_STREAM';
    }
});
$w->conf("server { http2 on; client_max_body_size 0; location / { grpc_pass $peer; } }", workers => 1);
my $c    = Weir::Http2::client($w);
my @call = (':method' => 'POST', 'content-type' => 'application/grpc+proto', te => 'trailers', 'x-meta-bin' => 'AAECAw==', 'grpc-encoding' => 'identity',
    'grpc-accept-encoding' => 'gzip', 'user-agent' => 'grpc-test/1', authorization => 'Bearer x');

is $c->ask(@call, ':path' => '/echo', body => "\0\0\0\0\5hello"), '200', 'a call';
is $c->body, "\0\0\0\0\5hello", 'its message';
is $c->head->{'x-answer-bin'}, 'AAEC', 'initial metadata';
is $c->head->{'content-type'}, 'application/grpc+proto', 'its type';
is $c->trailers->{'x-trail-bin'}, 'AwQF', 'trailing metadata';
is $c->trailers->{'grpc-status'}, 0, 'and its status';
is +($peer->notes)[0], ':method=POST :path=/echo content-type=application/grpc+proto te=trailers x-meta-bin=AAECAw== grpc-encoding=identity grpc-accept-encoding=gzip '
    . 'user-agent=grpc-test/1 authorization=Bearer x', 'what the peer saw';

is $c->ask(@call, ':path' => '/only', body => "\0\0\0\0\0"), '200', 'an answer of trailers only';
is $c->head->{'grpc-status'} . ' ' . $c->head->{'grpc-message'}, '5 no%20such', 'passes as such';

# The peer ends first: the client's half is of no use any more.
$c->request(5001, @call, ':path' => '/early', open => 1);
is $c->verdict(5001, waits => 1), '200', 'a peer that ends before the client';
is $c->trailers->{'grpc-status'}, 0, 'its status arrives at once';

# Messages back and forth, an empty one, many small ones.
$c->request(5003, @call, ':path' => '/echo', open => 1);
my $f;
1 while ($f = $c->next_frame) && $f->{stream} != 5003;
is $f->{type}, 'HEADERS', 'both ways: the head comes before any message';
for my $message ('one', '', 'three' x 1000) {
    my $bytes = pack('CN', 0, length $message) . $message;
    $c->write(data(5003, $bytes));
    my $back = '';
    while (length $back < length $bytes) { $f = $c->next_frame; $back .= $f->{payload} if $f->{type} eq 'DATA' }
    ok $back eq $bytes, 'a message of ' . length($message) . ' bytes there and back';
}
$c->write(data(5003, "\0\0\0\0\0") x 500 . data(5003, '', 'END_STREAM'));
my ($n, $end) = (0, 0);
until ($end) { $f = $c->next_frame; next unless ($f->{stream} // 0) == 5003; $n += length $f->{payload} if $f->{type} eq 'DATA'; $end = $f->{flags} & 1 }
is $n, 2500, '500 empty messages';
is { map { @$_ } $f->{fields}->@* }->{'grpc-status'}, 0, 'then the end';

$c->request(5005, @call, ':path' => '/hang', open => 1);
$w->wait_until('the call', sub { grep { m{:path=/hang} } $peer->notes });
$c->write(rst(5005, 'CANCEL'));
$peer->wait_note('reset CANCEL');
pass 'a cancelled call is cancelled upstream';
$c->close;

done_testing;
