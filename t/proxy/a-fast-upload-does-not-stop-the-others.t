# A worker takes turns: however fast a body comes, a small request is answered in between.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a fast upload does not stop the others');
my $origin = $w->peer(sub ($c) { $c->read_head; while ($c->fill) { $c->take(length $c->buffered) } });
$w->conf(<<"END", workers => 1);
    client_max_body_size 0;
    keepalive_requests 1000000;
    client_body_temp_path %%DIR%%/body-temp;
    server {
        location /buffered { proxy_pass http://$origin; client_body_timeout 200ms; }
        location /streamed { proxy_pass http://$origin; proxy_request_buffering off; client_body_timeout 200ms; proxy_send_timeout 200ms; }
        location /own { return 200 own; }
    }
END

my $bytes = 'x' x 1_048_576;
my $size  = 150;
for my $way (qw(buffered streamed)) {
    my $client = $w->client(deadline => 20);
    my $sender = $w->child(sub {
        $client->send("POST /$way HTTP/1.1\r\nHost: x\r\nContent-Length: " . ($size * length $bytes) . "\r\n\r\n");
        $w->pass("begun-$way");
        $client->write($bytes) or die "not taken\n" for 1 .. $size;
        $w->pass("sent-$way");
    });
    $w->wait_for("begun-$way");
    my $other = $w->client;
    my $n = 0;
    until (-e $w->dir . "/barrier.sent-$way") {
        $other->get('/own');
        $n++;
    }
    my (undef, $said) = $sender->(10);
    is $said, '', "$way: all of it was taken";
    cmp_ok $n, '>=', 10, "$way: $n requests were answered meanwhile";
    $client->reset;
}

done_testing;
