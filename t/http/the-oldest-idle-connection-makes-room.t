# Keep-alive hoarding past worker_connections.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('the oldest idle connection makes room');
$w->needs_weir;
$w->allow_log(qr/worker_connections are not enough/);
$w->conf_main(<<'END', workers => 1);
daemon off;
worker_processes 1;
pid logs/weir.pid;
error_log logs/error.log info;
events { worker_connections 64; }
http {
    keepalive_timeout 60s;
    server { listen 127.0.0.1:%%PORT%%; location / { return 200 ok; } }
}
END

my @hoard;
for my $n (1 .. 150) {
    my $client = eval { $w->client } or last;
    my $answer = eval { $client->get('/') };
    last unless $answer && $answer->status == 200;
    push @hoard, $client;
}
is scalar @hoard, 150, 'each newcomer was served';
my $answer = eval { $w->get('/') };
ok $answer && $answer->status == 200, 'and so is the next';

done_testing;
