# RFC 9113 §6.8: who leaves says so twice, so that no request on its way is lost: first that nothing new should be begun, and after a
# round trip what the last one was.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('a goaway is sent in two steps');
my $slow = $w->origin(sub ($c) { $c->wait_for('go'); $c->reply(200, 'finished') });
$w->conf("server { http2 on; location / { return 200 hello; } location /slow { proxy_pass http://$slow; } }", workers => 1);

my $frames = sub ($c) { my @f; while (my $f = $c->read_frame) { push @f, $f } @f };
my $goaways = sub (@f) { join ' ', map { my ($last, $code) = unpack 'NN', $_->{payload}; "$last/$code" } grep { $_->{type} eq 'GOAWAY' } @f };

my $idle = Weir::Http2::client($w);
is $idle->ask, '200', 'a connection that is idle';
my $busy = Weir::Http2::client($w);
$busy->request(1, ':path' => '/slow');
$slow->wait_requests(1);
$w->signal('QUIT');

my $f = $busy->next_frame;
is $goaways->($f), '2147483647/0', 'the first names no stream';
$f = $busy->next_frame;
is $f->{type}, 'PING', 'and asks for a sign';
$busy->request(3);                                                 # was on its way
$busy->write(ping($f->{payload}, 'ACK'));
my ($is, $last) = ('', '');
until ($is && $last) {
    $f = $busy->next_frame or last;
    $is = 1 if $f->{stream} == 3 && $f->{flags} & 1;
    $last = $goaways->($f) if $f->{type} eq 'GOAWAY';
}
ok $is, 'a request that was on its way is answered';
is $last, '3/0', 'the second names the last';
$busy->write(headers(5, 'END_HEADERS END_STREAM', Weir::Http2::request_fields()));
$w->pass('go');
is $busy->verdict(1, waits => 1, past_goaway => 1, patient => 1), '200', 'what was under way is finished';
is $busy->body, 'finished', 'to the end';
ok !grep({ $_->{stream} == 5 } $frames->($busy)), 'what was begun after it is ignored';
ok $busy->eof, 'then the connection ends';

like $goaways->($frames->($idle)), qr{^(?:2147483647/0 )?1001/0$}, 'an idle one is told, and ends';
is $w->wait_exit, 0, 'and the server';

done_testing;
