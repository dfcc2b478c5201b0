# type=grpc asks a real gRPC server by grpc.health.v1: for all of it, or for one service; a server that does not know the
# question is healthy where grpc_status= says so.  Answers that are none are refused.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Grpc;
use Weir::Http2 ':all';
use Weir::Test;

Weir::Grpc::needs;
my $w = Weir::Test->new('gRPC servers say themselves whether they are healthy')->needs_weir;
my $server = Weir::Grpc::server($w);
my $file   = 'grpc.port.1.health';
my $odd    = sub ($bytes, @trailers) {
    $w->peer(sub ($c) {
        my $h2 = Weir::Http2::serve($c);
        while (my $r = $h2->next_request) {
            $h2->write(headers($r->{stream}, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc')
                . data($r->{stream}, $bytes) . headers($r->{stream}, 'END_HEADERS END_STREAM', @trailers));
        }
    });
};
my %odd = (
    short   => [ $odd->("\0\0\0\0\5\x08\1", 'grpc-status' => 0),           qr/no message of/ ],
    packed  => [ $odd->("\1\0\0\0\2\x08\1", 'grpc-status' => 0),           qr/no message of/ ],
    garbage => [ $odd->("\0\0\0\0\3\xff\xff\xff", 'grpc-status' => 0),     qr/no message of/ ],
    big     => [ $odd->("\0\0\1\0\0" . ("\x08\1" x 8000), 'grpc-status' => 0), qr/no message of/ ],
    mute    => [ $odd->("\0\0\0\0\2\x08\1", 'x-other' => 0),               qr/no gRPC status/ ],
    words   => [ $odd->("\0\0\0\0\2\x08\1", 'grpc-status' => 'fine'),      qr/no gRPC status/ ],
    serving => [ $odd->("\0\0\0\0\2\x08\1", 'grpc-status' => 0),           undef ],
    more    => [ $odd->("\0\0\0\0\4\x08\1\x10\7", 'grpc-status' => 0),     undef ],
    none    => [ $odd->("\0\0\0\0\0", 'grpc-status' => 0),                 qr/it says UNKNOWN/ ],
);
$w->write_file($file, '1');
$w->conf(join("\n", map { "upstream $_ { server $odd{$_}[0]; health_check interval=1h type=grpc; }" } sort keys %odd) . <<"END", workers => 1);
    upstream all { server $server; }
    upstream one { server $server; }
    upstream unknown { server $server; }
    server {
        location /a { grpc_pass grpc://all; health_check interval=50ms type=grpc; }
        location /b { grpc_pass grpc://one; health_check interval=50ms type=grpc grpc_service=shop; }
        location /c { grpc_pass grpc://unknown; health_check interval=50ms type=grpc grpc_service=nothing grpc_status=5; }
        location /status { status; }
    }
END
$w->allow_log(qr/is unhealthy|is healthy/);
my $peers = sub { decode_json($w->get('/status')->body)->{upstreams} };
my $state = sub ($group, $at = $server) { my $p = $peers->()->{$group}{peers}{"$at"}; $p->{health_checks}{checks} ? $p->{state} : 'not checked' };
my $becomes = sub ($group, $is, $what) { $w->wait_until($what, sub { $state->($group) eq $is }); pass $what };

$becomes->('all', 'up', 'it serves');
$becomes->('one', 'unhealthy', 'it does not know that service');
$becomes->('unknown', 'up', 'which is a pass where grpc_status says so');
$w->write_file("$file.shop", '1');
$becomes->('one', 'up', 'the service is there');
$w->write_file($file, '2');
$becomes->('all', 'unhealthy', 'it says NOT_SERVING');
is $state->('one'), 'up', 'which is not said of the service';
unlink $w->dir . "/$file";
my $log = $w->error_log;
like $log, qr/upstream "all" is unhealthy: it says NOT_SERVING/, 'the log says so';
like $log, qr/upstream "one" is unhealthy: gRPC status 5/, 'and what status was answered';

for (sort keys %odd) {
    my ($at, $why) = $odd{$_}->@*;
    $w->wait_until("$_ is checked", sub { $state->($_, $at) ne 'not checked' });
    is $state->($_, $at), defined $why ? 'unhealthy' : 'up', $_;
    like $w->error_log, qr/upstream "$_" is unhealthy: .*$why/, "$_: why" if defined $why;
}

$w->end_checks;
done_testing;
