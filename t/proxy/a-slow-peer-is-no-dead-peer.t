# Timeouts are of the pause between two reads, not of the whole.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a slow peer is no dead peer');
my $origin = $w->origin(sub ($c) {
    my $text = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";
    for my $byte (split //, $text) {
        $c->raw($byte);
        select undef, undef, undef, 0.015;
    }
});
my $stalls = $w->origin(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"); $c->wait_for('end') });
$w->conf(<<"END", workers => 1);
    proxy_read_timeout 300ms;
    server {
        location /slow   { proxy_pass http://$origin; }
        location /stalls { proxy_pass http://$stalls; }
    }
END

my $answer = $w->get('/slow');
is $answer->body, '0123456789', 'a byte every 15 ms for longer than proxy_read_timeout: whole';

my $client = $w->client->send_request('GET', '/stalls');
my $head = $client->read_response_head;
is $head->status, 200, 'a peer that stalls inside the body';
ok !eval { $client->read_body($head); 1 }, 'the answer is cut';
like $@, qr/^eof: 5 of 10/, 'after what there was';
like $w->wait_for_log(qr/.*proxy_read_timeout.*/), qr/stalls/, 'and the log says why';
$w->pass('end');

done_testing;
