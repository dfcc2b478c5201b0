# timeout: 504 with a cause of its own, whatever is under way: a try, a pause, an answer; not what a client takes its time for, nor a tunnel.
use v5.36;
use lib 't/lib';
use Time::HiRes 'time';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('a request has a time with all its tries');
# Nothing more, until Weir has gone.
my $leave  = sub ($c) { eval { $c->take_all }; $c->close };
my $origin = $w->origin(sub ($c) {
    my $t = $c->request->{target};
    return $c->close if $t =~ /close/;
    return $leave->($c) if $t =~ /silent/;
    if ($t =~ /begun/) { $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"); return $leave->($c) }
    if ($t =~ /tunnel/) { $c->raw("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: thing\r\n\r\n"); $c->wait_for('late'); $c->raw("late\n"); return $c->close }
    $c->reply(200, 'z' x ($t =~ /large/ ? 8_000_000 : 2));
});
my $serve = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    $h2->{deadline} = 60;
    while (my $f = $h2->next_frame) { }
});
$w->conf(<<"END", workers => 1);
    upstream one { server $origin; }
    server {
        http2 on;
        timeout 1s;
        proxy_set_header Connection close;
        add_header X-Cause \$weir_cause always;
        add_header X-Tries "\$upstream_status" always;
        location / { proxy_pass http://one; }
        location /tries { retry 9 on=reset backoff=120ms; proxy_pass http://one; }
        location /pause { retry 2 on=reset backoff=20s; proxy_pass http://one; }
        location /each { try_timeout 250ms; retry 9 on=timeout; proxy_pass http://one; }
        location /page { error_page 504 =200 \@late; proxy_pass http://one; }
        location \@late { timeout 0; rewrite_path /late; proxy_pass http://one; }
        location /long { timeout 0; proxy_pass http://one; }
        location /tunnel { proxy_set_header Connection \$http_connection; proxy_set_header Upgrade \$http_upgrade; proxy_pass http://one; }
        location /upload { proxy_pass http://one; }
        location /call { grpc_pass $serve; }
    }
END
my $timed = sub ($target, @arg) {
    my $began  = time;
    my $answer = $w->get($target, @arg);
    return ($answer, time - $began);
};
my %tries = ('/silent' => 1, '/tries/close' => 3, '/pause/close' => 1, '/each/silent' => 3);
for my $path ('/silent', '/tries/close', '/pause/close', '/each/silent') {
    my ($answer, $took) = $timed->($path);
    is $answer->status . ' ' . ($answer->header('X-Cause') // ''), '504 upstream.timeout', $path;
    cmp_ok scalar(split /, /, $answer->header('X-Tries')), '>=', $tries{$path}, 'tries went on until then';
    cmp_ok $took, '>=', 0.99, 'not before its time';
}
is $w->get('/')->status, 200, 'a quick one';
is $w->get('/page/silent')->status, 200, 'an error page answers for it';
my $cut = $w->raw("GET /begun HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
like $cut, qr/12345\z/, 'an answer that has begun is cut';

# The peer was quick, the client is not.
my $slow = $w->client(rcvbuf => 4096);
$slow->send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
$w->wait_until('the peer to be done', sub { grep { m{/large} } $origin->lines });
Time::HiRes::sleep(1.5);
is length($slow->read_response(method => 'GET')->body), 8_000_000, 'a client may take its time';
$slow->close;

my $tunnel = $w->client;
$tunnel->send("GET /tunnel HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: thing\r\n\r\n");
is $tunnel->read_response->status, 101, 'a tunnel';
Time::HiRes::sleep(1.2);
$w->pass('late');
is $tunnel->take_until(qr/\n/), "late\n", 'lives longer';
$tunnel->close;

# A client that leaves during a pause.
my $gone = $w->client;
$gone->send_request('GET', '/pause/close?leaves');
$w->wait_until('the first try', sub { grep { /leaves/ } $origin->lines });
$gone->close;
$w->wait_until('the end', sub { $w->access_log =~ m{pause/close\?leaves[^\n]* 499 } });
is scalar(grep { /leaves/ } $origin->lines), 1, 'nothing is tried for a client that left';

my $h2 = Weir::Http2::client($w);
is $h2->ask(':path' => '/tries/close'), 504, 'over HTTP/2';
is $h2->ask(':method' => 'POST', ':path' => '/call/x', 'content-type' => 'application/grpc', te => 'trailers', body => "\0\0\0\0\0"), 200, 'a call';
is $h2->head->{'grpc-status'}, 4, 'is told DEADLINE_EXCEEDED';
$h2->close;

# A reload while a request waits for its next try: it goes on as it began.
my $waits = $w->client;
$waits->send_request('GET', '/tries/close?reload');
$w->wait_until('the first try', sub { grep { /reload/ } $origin->lines });
$w->reload("server { location / { return 200 new; } }");
is $waits->read_response->status, 504, 'a reload changes nothing for it';
is $w->get('/')->body, 'new', 'and all for others';

done_testing;
