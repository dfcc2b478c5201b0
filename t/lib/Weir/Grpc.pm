# Weir::Grpc - a real gRPC server and client (python3-grpcio) for tests.
#
#     my $server = Weir::Grpc::server($w);              # its address
#     my ($output) = Weir::Grpc::call($w, 'unary', 'hello');
package Weir::Grpc;
use v5.36;

use Test::More ();

my $python = '/usr/bin/python3';

sub needs () {
    Test::More::plan(skip_all => 'python3-grpcio is not installed')
        unless -x $python && system("$python -c 'import grpc' 2>/dev/null") == 0;
}

sub server ($w) {
    my $file = $w->dir . '/grpc.port.' . ++$w->{grpc_servers};
    my $end  = $w->background($python, 't/lib/grpc/echo_server.py', $file);
    $w->wait_until('a gRPC server', sub { -s $file });
    return '127.0.0.1:' . Weir::Server::slurp($file);
}

# What the client said; to => address, else Weir's first port.
sub call_to ($w, $address, @what) {
    my ($code, $output) = $w->command(60, $python, 't/lib/grpc/call.py', $address, @what);
    Test::More::diag($output) if $code;
    return $output;
}

sub call ($w, @what) {
    $w->start;
    return call_to($w, '127.0.0.1:' . $w->port, @what);
}

1;
