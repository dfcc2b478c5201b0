# No accept, no head, a head of a byte at a time, a body that stalls.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('slow peers meet distinct deadlines');

my $mute  = $w->peer(sub ($c) { $c->read_request; $c->fill });
my $drip  = $w->peer(sub ($c) { $c->read_request;
    for my $byte (split //, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") { $c->raw($byte) or last; select undef,
    undef, undef, 0.02 } });
my $stall = $w->peer(sub ($c) { $c->read_request; $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    $c->fill });
my $hole  = $w->blackhole_peer;
my $deaf  = $w->peer(sub ($c) { $c->wait_for('never') });
$w->allow_bad;
$w->conf(<<"END");
    proxy_next_upstream off; proxy_connect_timeout 200ms; proxy_read_timeout 300ms; proxy_send_timeout 300ms; client_max_body_size 0;
    server {
        location /mute { proxy_pass http://$mute; }
        location /drip { proxy_pass http://$drip; }
        location /stall { proxy_pass http://$stall; }
        location /hole { proxy_pass http://$hole; }
        location /deaf { proxy_pass http://$deaf; }
    }
END

my $timed = sub ($what) { my $at = Time::HiRes::time(); my $got = eval { $what->() };
    return ($got, Time::HiRes::time() - $at) };
my ($answer, $took) = $timed->(sub { $w->get('/hole') });
is $answer->status, 504, 'no accept';
cmp_ok $took, '>=', 0.18, 'not before proxy_connect_timeout';
($answer, $took) = $timed->(sub { $w->get('/mute') });
is $answer->status, 504, 'no head';
cmp_ok $took, '>=', 0.28, 'not before proxy_read_timeout';
is $w->get('/drip')->body, 'ok', 'a byte now and then is life';
($answer, $took) = $timed->(sub { $w->client->get('/stall') });
ok !$answer || $answer->status == 504, 'a body that stalls never ends well';
cmp_ok $took, '<', 5, 'but soon';
($answer, $took) = $timed->(sub { $w->request('POST', '/deaf', body => 'x' x 20_000_000) });
is $answer && $answer->status, 504, 'a peer that takes no byte' or diag $@;

done_testing;
