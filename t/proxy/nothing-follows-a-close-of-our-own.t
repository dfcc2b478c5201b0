# A peer that is told close and does not: nothing more is sent there (RFC 9112 section 9.6).
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('nothing follows a close of our own');
my $origin = $w->peer(sub ($c) {
    while (my $request = eval { $c->read_request }) { $c->reply(200, $c->number) }
});
$w->conf("upstream api { server $origin; keepalive 4; } server { location / { proxy_set_header Connection close; proxy_pass http://api; } }", workers => 1);
is $w->get('/')->body, $_, "connection $_" for 1 .. 3;

done_testing;
