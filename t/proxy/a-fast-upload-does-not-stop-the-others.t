# A worker takes turns: however fast a body comes, a small request is answered in between.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Test;

my $w      = Weir::Test->new('a fast upload does not stop the others');
my $origin = $w->peer(sub ($c) { $c->read_head; while ($c->fill) { $c->take(length $c->buffered) } });
$w->conf(<<"END", workers => 1);
    client_max_body_size 0;
    keepalive_requests 1000000;
    client_body_temp_path %%DIR%%/body-temp;
    server {
        location /buffered { proxy_pass http://$origin; }
        location /streamed { proxy_pass http://$origin; proxy_request_buffering off; client_body_timeout 1s; proxy_send_timeout 1s; }
        location /own { return 200 own; }
    }
END

# How many others are answered meanwhile is the scheduler's business, too: so the upload goes on, at full speed, until ten were, and for
# longer than its limits on time.  A worker that does not turn to others takes all of it first.
my $bytes = 'x' x 1_048_576;
my %most  = (buffered => 1_024, streamed => 16_384);     # MiB
my %least = (buffered => 0, streamed => 1.5);            # seconds
for my $way (qw(buffered streamed)) {
    my $client = $w->client(deadline => 20);
    my $sender = $w->child(sub {
        $client->send("POST /$way HTTP/1.1\r\nHost: x\r\nContent-Length: " . ($most{$way} * length $bytes) . "\r\n\r\n");
        $w->pass("begun-$way");
        for (1 .. $most{$way}) {
            return if -e $w->dir . "/barrier.answered-$way";
            $client->write($bytes) or die "not taken\n";
        }
        die "all of it was taken before the others\n";
    });
    $w->wait_for("begun-$way");
    my $other = $w->client;
    my $from = time;
    my $n = 0;
    for (; $n < 10 || time - $from < $least{$way}; $n++) {
        last unless $other->get('/own')->status == 200;
    }
    $w->pass("answered-$way");
    my (undef, $said) = $sender->(20);
    is $said, '', "$way: the upload went on";
    cmp_ok $n, '>=', 10, "$way: $n requests were answered meanwhile";
    $client->reset;
}

done_testing;
