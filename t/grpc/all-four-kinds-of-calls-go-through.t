use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Grpc;

Weir::Grpc::needs();
my $w      = Weir::Test->new('all four kinds of calls go through');
my $server = Weir::Grpc::server($w);
$w->conf("server { http2 on; client_max_body_size 0; location / { grpc_pass grpc://$server; } }");

is Weir::Grpc::call($w, 'unary', 'hello'), "answer hello\nstatus OK \ntrailer x-trailer told\n", 'unary, with its trailers';
is Weir::Grpc::call($w, 'client-stream', 5), "answer 0+1+2+3+4\nstatus OK \n", 'the client streams';
is Weir::Grpc::call($w, 'server-stream', 3), "answer message 0\nanswer message 1\nanswer message 2\nstatus OK \n",
    'the server streams';
my $said = Weir::Grpc::call($w, 'both-ways', 50);
is scalar(() = $said =~ /^answer message \d+$/mg), 50, 'both ways: each answer before the next message';
like $said, qr/^status OK/m, 'and its end';
like Weir::Grpc::call($w, 'unary', 'big 5000000'), qr/^answer 5000000 bytes\nstatus OK/, 'a large answer';
is Weir::Grpc::call($w, 'many', 300), "right 300\n", '300 at once';
like Weir::Grpc::call($w, 'unary', 'status 5 nothing here'), qr/^status NOT_FOUND nothing here\n.*^trailer x-trailer told/ms,
    'a status of the server is passed on';

done_testing;
