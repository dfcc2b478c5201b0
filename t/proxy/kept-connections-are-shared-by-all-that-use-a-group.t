use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('kept connections are shared by all that use a group');
my $origin = $w->echo_origin;
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server {
        location /a { proxy_pass http://api; }
        location /b { proxy_pass http://api/b; proxy_set_header X-From b; }
    }
    server { listen 127.0.0.1:%%PORT_other%%; location / { proxy_pass http://api; proxy_read_timeout 5s; } }
END

my @clients = ($w->client, $w->client, $w->client(port => 'other'));
my @served;
for my $n (1 .. 3) {
    push @served, map { $w->seen($_)->{served} } $clients[0]->get('/a'), $clients[1]->get('/b'), $clients[2]->get('/c');
}
is $origin->connections, 1, 'nine requests by three clients of two servers: one connection';
is "@served", '1 2 3 4 5 6 7 8 9', 'used again and again';
unlike $origin->received, qr/^Connection:/mi, 'nothing said about the connection: HTTP/1.1 keeps it';

done_testing;
