use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('a stream that is not read holds no other');
my $deaf = $w->peer(sub ($o) { $o->{deadline} = 60; $o->wait_for('end') });
my $big  = $w->origin(sub { shift->reply(200, 'x' x 500_000) });
$w->conf("server { http2 on; location / { return 200 hello; } location /big { proxy_pass http://$big; } }", workers => 1);

# Its own window is shut; the connection's is not.
my $c = Weir::Http2::client($w, settings => [ 4 => 20_000 ]);
$c->request(1, ':path' => '/big');
my $got = 0;
while ($got < 20_000) { my $f = $c->next_frame; $got += length $f->{payload} if $f->{type} eq 'DATA' }
is $got, 20_000, 'as much as its window lets in';
is $c->ask, '200', "request $_ beside it is answered" for 1 .. 20;
$c->write(window(0, 1_000_000) . window(1, 1_000_000));
while (my $f = $c->next_frame) {
    $got += length $f->{payload} if $f->{type} eq 'DATA' && $f->{stream} == 1;
    last if $f->{stream} == 1 && $f->{flags} & 1;
}
is $got, 500_000, 'when it opens the rest comes';

# An upload that a peer does not take holds its stream only.
$w->reload("server { http2 on; client_max_body_size 0; location / { return 200 hello; }
    location /up { proxy_pass http://$deaf; proxy_request_buffering off; } }");
my $up = Weir::Http2::client($w);
$up->request(1, ':method' => 'POST', ':path' => '/up', open => 1);
my $room = $up->{peer}{4} // 65535;
for (my $left = $room; $left > 0; $left -= 8192) { $up->write(data(1, 'u' x ($left < 8192 ? $left : 8192))) }
is $up->ask, '200', 'beside an upload that waits requests are answered';
is $up->ask(':method' => 'POST', body => 'x' x 10_000), '200', 'with bodies too';
$w->pass('end');
$up->close;
$c->close;

done_testing;
