# A reload with another backlog or other options of an address that is listened on: the same sockets have them, who waits in their queue is
# accepted, and what cannot change while it is bound is told.
use v5.36;
use lib 't/lib';
use Weir::Test;

needs('ss');
my $w    = Weir::Test->new('options of an address change while it is open')->needs_weir;
my $text = sub ($options, $v6 = '') { "server { listen 127.0.0.1:%%PORT%% $options; location / { return 200 '$options'; } }"
    . "server { listen [::1]:%%PORT_v6%% $v6; location / { return 204; } }" };
# The queue's length of each socket, as the kernel has it; and which sockets those are.
my $sockets = sub {
    my (undef, $said) = $w->command(5, 'ss', '-Hltne', 'sport', '=', ':' . $w->port);
    my @all = map { [ (split)[2], /\bino:(\d+)/ ] } split /\n/, $said;
    return (join(' ', map { $_->[0] } @all), join ' ', sort map { $_->[1] } @all);
};
$w->conf($text->('backlog=20'), workers => 2);
$w->start;
my ($queues, $which) = $sockets->();
is $queues, '20 20', 'a queue of each worker';
my $kept = $w->client;
is $kept->get('/')->body, 'backlog=20', 'a kept connection';

$w->stop_workers;
my @waits = map { $w->client->send_request('GET', '/') } 1 .. 10;
$w->{conf}{text} = $text->('backlog=50 so_keepalive=10:5:3 deferred');
$w->_write_conf;
$w->signal('HUP');
$w->wait_until('the queues are longer', sub { ($sockets->())[0] eq '50 50' });
$w->continue_workers;
$w->reload;
is $_->read_response->status, 200, 'who waited is answered' for @waits;
is +($sockets->())[1], $which, 'the sockets are the same';
is $kept->get('/')->body, 'backlog=50 so_keepalive=10:5:3 deferred', 'the kept connection sees the new configuration';

my $mark = length $w->error_log;
$w->reload($text->('backlog=10', 'ipv6only=off'));
is +($sockets->())[0], '10 10', 'shorter ones';
$w->wait_for_log(qr/\[warn\] .*ipv6only of \[::1\]:\d+ stays as it was/, from => $mark);
$w->wait_for_log(qr/\[warn\] .*so_keepalive of 127\.0\.0\.1:\d+ stays as it was/, from => $mark);
ok 1, 'what cannot change is told';
$mark = length $w->error_log;
$w->reload($text->('backlog=10'));
unlike substr($w->error_log, $mark), qr/stays as it was/, 'what has not changed is not';

done_testing;
