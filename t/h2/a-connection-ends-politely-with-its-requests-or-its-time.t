use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('a connection ends politely with its requests or its time');
$w->conf(<<'END', workers => 1);
    server { http2 on; keepalive_requests 3; location / { return 200 hello; } }
    server { listen 127.0.0.1:%%PORT_time%%; http2 on; keepalive_time 200ms; location / { return 200 hello; } }
    server { listen 127.0.0.1:%%PORT_idle%%; http2 on; keepalive_timeout 300ms; location / { return 200 hello; } }
END

my $c = Weir::Http2::client($w);
$c->request(2 * $_ + 1) for 0 .. 4;                               # more than it may
my (%is, @goaway);
while (my $f = $c->next_frame) {
    $is{ $f->{stream} } = 1 if $f->{type} eq 'DATA' && $f->{flags} & 1;
    push @goaway, [ unpack 'NN', $f->{payload} ] if $f->{type} eq 'GOAWAY';
    $c->write(ping($f->{payload}, 'ACK')) if $f->{type} eq 'PING';
}
ok @goaway >= 1 && !grep({ $_->[1] } @goaway), 'after keepalive_requests a GOAWAY without fault';
my $last = $goaway[-1][0];
is_deeply [ sort { $a <=> $b } keys %is ], [ grep { $_ <= $last } 1, 3, 5, 7, 9 ], "each stream up to the last it names ($last) is answered";
cmp_ok $last, '>=', 5, 'and those are three at least';

$c = Weir::Http2::client($w, port => $w->port('time'));
is $c->ask, '200', 'younger than keepalive_time';
Time::HiRes::sleep(0.3);
$c->request(3001);
my $code;
my %then;
while (my $f = $c->next_frame) {
    $code = unpack 'x4N', $f->{payload} if $f->{type} eq 'GOAWAY';
    $then{ $f->{stream} } = 1 if $f->{type} eq 'DATA' && $f->{flags} & 1;
    $c->write(ping($f->{payload}, 'ACK')) if $f->{type} eq 'PING';
}
ok $then{3001}, 'older than that it answers one more';
is $code, 0, 'and says that it ends';

$c = Weir::Http2::client($w, port => $w->port('idle'));
is $c->ask, '200', 'a connection that is idle';
my $f;
1 while ($f = $c->next_frame) && $f->{type} ne 'GOAWAY';
is unpack('x4N', $f->{payload}), 0, 'for keepalive_timeout is told';
1 while $c->next_frame;
ok $c->eof, 'and ends';

done_testing;
