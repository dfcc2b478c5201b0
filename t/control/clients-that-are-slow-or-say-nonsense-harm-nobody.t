# Half requests, garbage, requests one behind the other, thousands of connections and bodies without end: the control socket
# answers what can be answered, ends the rest, and all the while answers others.
use v5.36;
use lib 't/lib';
use Weir::Test;

$SIG{PIPE} = 'IGNORE';
my $w = Weir::Test->new('clients that are slow or say nonsense harm nobody')->needs_weir;
$w->time_limit(120);
my $a = $w->origin;
$w->conf("upstream api { server $a; } server { location / { proxy_pass http://api; } }", workers => 1);
is $w->get('/')->status, 200, 'it serves';
my $well = sub ($name) { is +($w->control_client->ask(GET => '/v1/upstreams'))[0], 200, $name };

# -- what is no request --
for my $case (
    [ 400, "\x16\x03\x01\x02\x00", 'a TLS handshake' ], [ 400, "GET\r\n\r\n", 'half a line' ],
    [ 400, "{\"do\":\"upstream.list\"}\n", 'the protocol of before' ], [ 505, "GET /v1 HTTP/2.0\r\nHost: a\r\n\r\n", 'HTTP/2.0' ],
    [ 400, "GET /v1 HTTP/1.1\r\n\r\n", 'no Host' ], [ 400, "GET /v1 HTTP/1.1\nHost: a\n\n", 'bare LFs' ],
    [ 414, 'GET /' . 'x' x 9000 . " HTTP/1.1\r\nHost: a\r\n\r\n", 'a long line' ],
    [ 431, "GET /v1 HTTP/1.1\r\nHost: a\r\n" . "A: b\r\n" x 100 . "\r\n", 'a hundred fields' ],
    [ 400, "POST /v1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 'a coding beside chunked' ],
    [ 400, "POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 'two lengths' ],
    [ 417, "GET /v1 HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 'an expectation' ],
) {
    my ($expected, $bytes, $name) = @$case;
    my $control = $w->control_client->write($bytes);
    my ($status, $answer, $fields) = $control->read;
    is $status, $expected, $name;
    is $fields->{connection}, 'close', 'and the connection ends';
    ok $control->is_ended, 'at once';
}
{
    my $control = $w->control_client->write("POST /v1/upstreams/api/servers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    is +($control->read)[0], 400, 'a chunk that is none';
    ok $control->is_ended, 'and the connection ends';
}

# -- split and pipelined --
{
    my $control = $w->control_client;
    my $request = $control->encode(PATCH => "/v1/upstreams/api/servers/$a", { weight => 2 });
    $control->write($_) for split //, $request;
    is +($control->read)[0], 200, 'a request that comes byte by byte';
    $control->write(join '', map { ($control->encode(PATCH => "/v1/upstreams/api/servers/$a", { weight => $_ }), $control->encode(GET => '/v1'), $control->encode(GET => '/nothing')) } 1 .. 30);
    my @got = map { ($control->read)[0] } 1 .. 90;
    is "@got", join(' ', ('200 200 404') x 30), 'ninety requests one behind the other are answered in their order';
    $control->send(GET => '/v1', undef, Connection => 'close');
    is +($control->read)[0], 200, 'the last says that it is that';
    ok $control->is_ended, 'and the connection ends';
    my $old = $w->control_client->write("GET /v1 HTTP/1.0\r\n\r\n");
    is +($old->read)[0], 200, 'HTTP/1.0 is answered';
    ok $old->is_ended, 'and not kept';
}

# -- those who stop in the middle --
my @half = map { my $control = $w->control_client; $control->write($_); $control } ("GET /v1 HT", "GET /v1 HTTP/1.1\r\nHost",
    "POST /v1/upstreams/api/servers HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{\"server\":");
$well->('half requests keep nobody out');
my ($first) = $half[0]->read;
is $first, 408, 'a head that does not come is told so';
ok $half[0]->is_ended, 'and its connection ends';
my @many = map { my $control = $w->control_client; eval { $control->write('GET /v1 HT') }; $control } 1 .. 200;
$w->wait_until('others take their places', sub { my ($status) = eval { $w->control_client->ask(GET => '/v1') }; ($status // 0) == 200 });
pass 'heads that do not come give their places to others';
undef @many;
{
    my $greedy = $w->control_client;
    $greedy->socket->blocking(0);
    eval { $greedy->write($greedy->encode(GET => '/v1') x 20000) };
    like $@, qr/^write: /, 'what is not read stops what is taken';
    $well->('a client that never reads keeps nobody out');
}

# -- many --
my $bad = 0;
for (1 .. 10_000) {
    my ($status) = $w->control_client->ask(GET => '/v1/upstreams');
    $bad++ unless $status == 200;
}
is $bad, 0, 'ten thousand connections one behind the other';
my $process = $w->control_process;
my @fds = glob "/proc/$process/fd/*";
cmp_ok scalar(@fds), '<', 140, 'whose descriptors are closed';
is $w->error_log =~ /control process \d+ exited/ ? 1 : 0, 0, 'it is the process of the beginning';
is $w->get('/')->status, 200, 'requests are served as ever';
done_testing;
