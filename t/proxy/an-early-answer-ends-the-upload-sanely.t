# The peer answers 413 while the body is still coming.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an early answer ends the upload sanely');
my $origin = $w->origin(sub ($c) {
    my $target = $c->request->target;
    return $c->reply(200, 'next') if $target eq '/next';
    $c->take(1000);
    $c->reply(413, 'too much', 'Connection', 'close');
    if    ($target =~ /reset/) { select undef, undef, undef, 0.02; $c->reset }
    elsif ($target =~ /close/) { $c->close }
    else                       { $c->wait_for('read'); $c->close }
}, body => 0);
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    proxy_request_buffering off;
    client_max_body_size 0;
    lingering_timeout 500ms;
    server { location / { proxy_pass http://api; } }
END

my $smuggled = "GET /next HTTP/1.1\r\nHost: smuggled\r\n\r\n";
for my $way (qw(reset close hold)) {
    my $client = $w->client;
    $client->send("POST /$way HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" . 'b' x 1000);
    my $head = $client->read_response_head;
    is $head->status, 413, "$way: the answer arrives while the client is sending";
    is $client->read_body($head)->body, 'too much', "$way: whole";
    is $head->header('Connection'), 'close', "$way: and says that this connection ends";
    $client->send($smuggled x 20);
    ok $client->at_eof, "$way: no byte of the body was taken for a request";
}
$w->pass('read');
is scalar(grep { /next/ } $origin->lines), 0, 'nor by the peer';
is $w->get('/next')->body, 'next', 'the next request is served';
is $origin->connections, 4, 'on a connection that had no unfinished upload';

# All of the body is here when the answer comes: the connection can go on.
my $client = $w->client->send("POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" . 'b' x 1000 . "GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
is $client->read_response->status, 413, 'an answer to a complete body';
is $client->read_response->body, 'next', 'the pipelined request behind it is answered';

done_testing;
