# An answer of Weir's own to a request whose body is small and still on its way: the body is read away behind the answer and the connection
# serves on, as with nginx.  One that turns out to be large, or does not come, takes the connection with it.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Test;

my $w = Weir::Test->new('an early answer keeps the connection');
$w->allow_log(qr/limiting requests|limit\.rate|no user|auth|forbidden|access/);
$w->write_file('conf/users', "bob:{PLAIN}secret\n");
$w->conf(<<"END", workers => 1);
    limit_req_zone \$remote_addr zone=r:1m rate=1r/m;
    lingering_timeout 300ms;
    server {
        location /deny { deny all; }
        location /auth { auth_basic here; auth_basic_user_file users; return 200 in; }
        location /limit { limit_req zone=r; limit_req_status 429; empty_gif; }
        location /return { return 204; }
        location /page { error_page 403 /text; deny all; }
        location /text { return 200 text; }
        location /next { return 200 next; }
    }
END
is $w->get('/limit')->status, 200, 'the one request that the limit lets through';

my %status = (deny => 403, auth => 401, limit => 429, return => 204, page => 403);
for my $way (sort keys %status) {
    for my $framing (qw(length chunked)) {
        my $client = $w->client;
        my @wrong;
        for my $n (1 .. 20) {
            my $body = 'b' x 300;
            $client->send("POST /$way HTTP/1.1\r\nHost: localhost\r\n" . ($framing eq 'length' ? "Content-Length: 300\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n12c\r\n"));
            my $answer = $client->read_response;
            push @wrong, "$n: " . $answer->status if $answer->status !~ /^(?:$status{$way}|200)$/;
            push @wrong, "$n: not kept" unless $answer->is_kept;
            last if @wrong;
            $client->send($framing eq 'length' ? $body : "$body\r\n0\r\n\r\n");
        }
        is_deeply \@wrong, [], "$way, $framing: twenty on one connection, each body behind its answer";
        is $client->get('/next')->body, 'next', 'and one without';
        $client->close;
    }
}

my $client = $w->client;
$client->send("POST /deny HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345");
ok $client->read_response->is_kept, 'an answer to half a body';
my $from = time;
ok $client->at_eof, 'whose rest does not come: the connection ends';
cmp_ok time - $from, '<', 5, 'after lingering_timeout, not client_body_timeout';

$client = $w->client;
$client->send("POST /deny HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
$client->read_response;
{
    local $SIG{PIPE} = 'IGNORE';
    my $sent = 0;
    my $until = time + 8;                                   # lingering_time is less, whatever a machine moves in it
    while (time < $until) { $client->write(sprintf("%x\r\n", 16384) . 'x' x 16384 . "\r\n") or last; $sent += 16384 }
    cmp_ok time, '<', $until, 'one that does not end is not read for ever' or diag "$sent bytes" unless $w->is_nginx;
}

unless ($w->is_nginx) {
    $client = $w->client;
    $client->send("POST /deny HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n");
    ok !$client->read_response->is_kept, 'a large one is told that the connection ends';
}

$client = $w->client;
$client->send("POST /text HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
my $answer = $client->read_response;
is $answer->interim, 1, 'who waits for a 100 gets it where the answer needs no body, too';
is $answer->body, 'text', 'with the answer behind it';
$client->send('hello');
is $client->get('/next')->body, 'next', 'and the connection goes on behind the body';

done_testing;
