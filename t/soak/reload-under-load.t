# WEIR_SOAK_SECONDS (60) of load by kept-alive clients, a reload every second and 100 WebSockets that echo all the time:
# no failed request, no closed WebSocket, the workers' memory flat within 10 % after warm-up.
use v5.36;
use lib 't/lib';
use IO::Select;
use Time::HiRes qw(time sleep);
use Weir::Load;
use Weir::Test;
use Weir::WebSocket;

my $seconds = $ENV{WEIR_SOAK_SECONDS} // 60;
my $n_websockets = 100;
my $n_loaders = 2;
my $w = Weir::Test->new('reload under load');
$w->time_limit($seconds + 120);

my $echo   = $w->peer(\&Weir::WebSocket::echo_peer);
my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    $request->target =~ /chunked/ ? $c->reply_chunked(200, [ $request->body, $request->target ]) : $c->reply(200, $request->body . $request->target);
});
my $conf = sub ($n) { my $odd = $n % 2 ? 'proxy_set_header X-Odd 1;' : ''; <<"END" };
    upstream api { server $origin; keepalive 16; keepalive_requests 100000; }
    keepalive_requests 100000;
    access_log logs/access.log combined buffer=64k flush=1s;
    server {
        location / { proxy_pass http://api; $odd }
        location /streamed { proxy_pass http://api; proxy_request_buffering off; }
        location /here { return 200 "generation $n of \$request_uri"; }
        location /ws { proxy_pass http://$echo; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; }
    }
END
$w->conf($conf->(0));
$w->start;
my $stop = $w->dir . '/barrier.stop';

# All WebSockets in one process: a message to each, an echo from each, again and again.
sub chat () {
    my @sockets = map { Weir::WebSocket::open($w->client, '/ws') } 1 .. $n_websockets;
    $w->pass('open');
    my $rounds = 0;
    until (-e $stop) {
        my $text = "round $rounds " . 'y' x ($rounds % 50 == 0 ? 70_000 : $rounds % 200);
        Weir::WebSocket::send($_, $text) for @sockets;
        for my $i (0 .. $#sockets) {
            my ($opcode, $payload) = eval { Weir::WebSocket::read_frame($sockets[$i]) };
            die "websocket $i, round $rounds: $@" if $@;
            die "websocket $i, round $rounds: another's message\n" unless $payload eq $text;
        }
        $rounds++;
        sleep 0.02;
    }
    print STDERR "rounds $rounds\n";
}

my $chat    = $w->child(\&chat);
$w->wait_for('open');
my @loaders = map { my $number = $_; $w->child(sub { Weir::Load::run($w, $stop, $number) }) } 1 .. $n_loaders;

my @pids  = $w->workers;
my $until = time + $seconds;
my $warm  = time + $seconds / 4;
my ($reloads, $first, $most) = (0, undef, 0);
while (time < $until) {
    my $next = time + 1;
    $w->reload($conf->(++$reloads));
    my $now = $w->memory;
    $first = $now if !defined $first && time >= $warm;
    $most  = $now if defined $first && $now > $most;
    sleep $next - time if $next > time;
}
$w->pass('stop');

for my $loader (@loaders) {
    my (undef, $said) = $loader->(30);
    my ($requests, $reconnects) = $said =~ /^requests (\d+) reconnects (\d+)$/m;
    ok $requests, "a loader made $requests requests, none failed, $reconnects polite closes" or diag $said;
}
my (undef, $said) = $chat->(30);
like $said, qr/^rounds [1-9]/, "$n_websockets WebSockets stayed open: " . $said =~ s/\s+$//r;
is join(' ', $w->workers), join(' ', @pids), "$reloads reloads, the same workers";
SKIP: {
    skip "a sanitizer's memory is not Weir's", 1 if $w->is_sanitized;
    cmp_ok $most, '<=', $first * 1.1, "memory after warm-up $first KiB, at most $most KiB";
}

done_testing;
