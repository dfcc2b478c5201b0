# A peer that is marked as failed is tried by one request when its time has come.  A client that leaves before the peer has answered that one has shown
# nothing: the peer stays marked, in all workers.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('a client that leaves makes no failed peer good')->needs_weir;
my $good = $w->origin(sub ($c) { $c->reply(200, 'good') });
my $sick = $w->origin(sub ($c) { my $r = $c->request; $r->target =~ /^.fail/ ? $c->close : $r->target =~ /^.hang/ ? $c->wait_for('end') : $c->reply(200, 'well') });
$w->conf(<<"END", workers => 2);
    upstream all { server $sick weight=100 fail_timeout=1s; server $good; }
    server { location / { proxy_pass http://all; proxy_next_upstream off; } location /status { status; } }
END
$w->allow_log(qr/temporarily disabled|upstream\.closed|client\.closed/);
my $peer = sub { decode_json($w->get('/status')->body)->{upstreams}{all}{peers}{"$sick"} };

is $w->get('/fail')->status, 502, 'it fails';
is $peer->()->{state}, 'unavail', 'and is marked';
my $client = $w->client;
$w->wait_until('one request tries it', sub {
    $client = $w->client->send_request('GET', '/hang');
    my $is_tried = 0;
    $w->wait_until('an answer, or the trial', sub { $is_tried = $sick->requests == 2; $is_tried || IO::Select->new($client->fh)->can_read(0) });
    return $is_tried;
});
is $peer->()->{active}, 1, 'which waits';
close $client->fh;
$w->wait_until('its client has left', sub { $peer->()->{active} == 0 });
is $peer->()->{state}, 'unavail', 'the peer is marked as before';
$w->pass('end');
$w->wait_until('another request tries it', sub { $w->get('/x')->body eq 'well' });
$w->wait_until('and it is good again', sub { $peer->()->{state} eq 'up' });
done_testing;
