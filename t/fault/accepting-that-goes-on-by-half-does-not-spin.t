use v5.36;
use lib 't/lib';
use Time::HiRes qw(sleep time);
use Weir::Fault;
use Weir::Test;

# Accepting goes on after a pause, and one of two sockets cannot be watched again: the other is as quiet as ever when
# all connections are in use, and both accept when there is room.
my $w     = Weir::Fault->test('accepting that goes on by half does not spin');
my $fault = $w->{fault};

$w->conf('events { worker_connections 4; } http { client_body_timeout 60s;
    server { listen 127.0.0.1:%%PORT%%; listen 127.0.0.1:%%PORT_other%%; location / { return 200 "fine"; }
        location /busy { proxy_pass http://127.0.0.1:1; } } }', workers => 1, control => 0);
is $w->get('/')->body, 'fine', 'it works';
$fault->baseline;

my $busy = "POST /busy HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1";       # waits for the rest
sub full () { scalar(() = $w->error_log =~ /worker_connections are not enough/g) }

my @busy = map { $w->client->send($busy) } 1 .. 4;
$w->wait_until('all are accepted', sub { $fault->descriptors >= $fault->{descriptors} + 4 });
my @waiting = map { my $port = $_; map { $w->client(port => $port)->send($busy) } 1 .. 3 } '', 'other';
$w->wait_until('it pauses', sub { full() >= 1 });
sleep 0.05;

$fault->arm(mode => 'once', only => 'weir_sys_epoll_ctl', at => 2);    # the first is watched again
my $before = full();
(shift @busy)->close;
$w->wait_until('the second was tried', sub { $fault->state->{hits} });
my $until = time + 1.2;
sleep 0.05 while time < $until;
$fault->disarm;
cmp_ok full() - $before, '<', 8, 'it has looked for room a few times in 1.2 s';

$_->close for @busy, @waiting;
is $w->request('GET', '/', port => $w->port($_))->body, 'fine', 'then who comes is served' for '', 'other';

done_testing;
