# A peer's state is a part of its statistics: up, unavail (marked as failed), down (the configuration says so).
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('statistics say which peers are up')->needs_weir;
my $fine = $w->{dir} . '/fine';     # origins are processes of their own
my $good = $w->origin(sub { shift->reply(200, 'ok') });
my $sick = $w->origin(sub ($c) { -e $fine ? $c->reply(200, 'well again') : $c->close });
$w->conf(<<"END", workers => 4);
    upstream all { server $good; server $sick max_fails=1 fail_timeout=300ms; server 127.0.0.1:1 down; }
    server { location / { proxy_pass http://all; } location /status { status; } location /metrics { prometheus; } }
END
my $peers = sub { decode_json($w->get('/status')->body)->{upstreams}{all}{peers} };
my $up    = sub ($peer) { $w->get('/metrics')->body =~ /^weir_peer_up\{upstream="all",peer="\Q$peer\E"\} (\d)$/m; $1 };

is $peers->()->{"$sick"}{state}, 'up', 'at first a peer is up';
is $peers->()->{'127.0.0.1:1'}{state}, 'down', 'unless the configuration says that it is down';
is $up->('127.0.0.1:1'), 0, 'for Prometheus, too';
$w->wait_until('it is asked: each worker has turns of its own', sub { $w->get('/some'); $sick->requests });
is $peers->()->{"$sick"}{state}, 'unavail', 'one that failed is unavailable';
is $up->("$sick"), 0, 'which is 0 for Prometheus';
is $peers->()->{"$good"}{state}, 'up', 'the others are up';
is $up->("$good"), 1, 'which is 1';

$w->reload($w->{conf}{text} =~ s/server 127.0.0.1:1 down;//r);
is $peers->()->{"$sick"}{state}, 'unavail', 'a reload forgets nothing of it';
$w->write_file('fine', '');
$w->wait_until('it is tried again and up', sub { $w->get('/again'); $peers->()->{"$sick"}{state} eq 'up' });
is $up->("$sick"), 1, 'for Prometheus, too';
$w->reload('server { location /status { status; } location /metrics { prometheus; } }');
is_deeply [ keys decode_json($w->get('/status')->body)->{upstreams}->%* ], [], 'a group that is gone is not shown';

done_testing;
