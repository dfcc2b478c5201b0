# A slow client holds its own stream only, and as much of the peer's answer as a window; a peer that does not read holds its upload only.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new("flow of HTTP/2 peers is that of their clients");
my $size = 20_000_000;                                             # more than any socket buffer takes
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c, settings => [ 4 => 30_000 ]);
    $h2->{tells_windows} = 1;
    my (%left, %sent, %got);
    my $pump = sub {
        for my $s (keys %left) {
            my $room = ($h2->{peer}{4} // 65535) + ($h2->{windows}{$s} // 0) - $sent{$s};
            while ($left{$s} > 0 && $room > 0) {
                my $n = (sort { $a <=> $b } 16384, $room, $left{$s})[0];
                $left{$s} -= $n; $room -= $n; $sent{$s} += $n;
                $h2->write(data($s, 'd' x $n, $left{$s} ? '' : 'END_STREAM'));
            }
            $c->note("sent $s $sent{$s}") if $sent{$s};
            delete $left{$s} unless $left{$s};
        }
    };
    while (my $f = $h2->next_frame) {
        my $s = $f->{stream};
        if ($f->{type} eq 'HEADERS') {
            my %h = map { @$_ } $f->{fields}->@*;
            if ($h{':path'} eq '/down') { $left{$s} = $size; $sent{$s} = 0; $h2->write(headers($s, 'END_HEADERS', ':status' => 200)); }
            elsif ($h{':path'} eq '/up') { $got{$s} = 0; $c->note("upload $s") }
            else { $h2->write(headers($s, 'END_HEADERS', ':status' => 200) . data($s, 'good', 'END_STREAM')) }
        }
        if ($f->{type} eq 'DATA' && exists $got{$s}) {
            $got{$s} += length $f->{payload};
            $c->note("took $got{$s}");
            if ($got{$s} == 30_000) { $c->wait_for('read'); }
            $h2->write(window(0, length $f->{payload}) . window($s, length $f->{payload})) if length $f->{payload};
            $h2->write(headers($s, 'END_HEADERS', ':status' => 200) . data($s, $got{$s}, 'END_STREAM')) if $f->{flags} & 1;
        }
        $pump->();
    }
});
$w->conf(<<"END", workers => 1);
    proxy_http_version 2; proxy_max_temp_file_size 0; client_max_body_size 0;
    upstream peers { server $peer; keepalive 4; }
    server { location / { proxy_pass http://peers; } location /up { proxy_pass http://peers; proxy_request_buffering off; } }
END

is $w->get('/good')->body, 'good', 'a connection is there';
my $slow = $w->client(rcvbuf => 4096)->send_request('GET', '/down');
is $slow->read_response_head->status, 200, 'an answer that nobody reads on';
is $w->get('/good')->body, 'good', "request $_ beside it" for 1 .. 5;
my ($most) = sort { $b <=> $a } map { /^sent \d+ (\d+)/ ? $1 : () } $peer->notes;
cmp_ok $most, '<', $size, "the peer is held back, after $most bytes";
eval { while (length($slow->{in}) < $size && $slow->fill) { } };
cmp_ok length $slow->buffered, '>=', $size, 'when the client reads the rest comes';
is $peer->connections, 1, 'over one connection';
$slow->close;

my $up = $w->client->send_request('POST', '/up', headers => [ 'Content-Length' => 200_000 ]);
$up->send('u' x 200_000);
$peer->wait_note('took 30000');
pass 'the peer has its window full';
$w->pass('read');
is $up->read_response->body, 200_000, 'when it reads the rest goes';

done_testing;
