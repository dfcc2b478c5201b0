use v5.36;
use lib 't/lib';
use Weir::Fault;
use Weir::Test;

my $w      = Weir::Fault->test('each failure of a request body is survived');
my $fault  = $w->{fault};
my $origin = $fault->telling_origin;

$w->conf(<<"CONF", workers => 1, control => 0);
client_body_buffer_size 8k;
client_body_temp_path %%DIR%%/client-body;
proxy_temp_path %%DIR%%/proxy;
upstream fresh { server $origin; keepalive 0; }
upstream kept  { server $origin; keepalive 1; }
server {
    location /ordinary { return 200 "fine"; }
    location /fresh/   { proxy_pass http://fresh; }
    location /kept/    { proxy_pass http://kept; }
    location /named/   { proxy_pass http://fresh; client_body_in_file_only clean; client_body_temp_path %%DIR%%/named 1; proxy_set_header X-File \$request_body_file; }
    location /stream/  { proxy_pass http://fresh; proxy_request_buffering off; }
}
CONF

sub bytes ($n, $len) { substr "$n " x (1 + $len / length "$n "), 0, $len }

sub chunked ($target, $body, %arg) {
    my $text = "POST $target HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    $text .= sprintf "%x\r\n%s\r\n", length, $_ for unpack '(a900)*', $body;
    return (raw => "${text}0\r\n\r\n", told => Weir::Fault::told('POST', $target, $body));
}

# The body follows when Weir says 100 (or what it says instead is the answer).
sub expecting ($n) {
    my $client = $w->client;
    $client->send("POST /fresh/$n HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3000\r\n\r\n");
    my $word = eval { body_after_100($client, $n) } // Weir::Fault::judge_end($@);
    $client->close;
    return $word;
}

sub body_after_100 ($client, $n) {
    my $body  = bytes($n, 3000);
    my $first = $client->read_response_head;
    if ($first->status >= 400) {
        $client->read_body($first);
        return 'refused';
    }
    $first->status == 100 or die 'not asked for: ' . $first->head . "\n";
    $client->send($body);
    return $fault->judge($client, sub ($answer) { $answer->body eq Weir::Fault::told('POST', "/fresh/$n", $body) });
}

is $fault->ask('POST', '/fresh/warm', body => bytes(0, 30000)), 'right', 'a temporary file works';
is $fault->ask('POST', '/kept/warm', body => 'x'), 'right', 'a small body works';
is $fault->ask('POST', '/stream/warm', chunked('/stream/warm', bytes(0, 3000))), 'right', 'a streamed body works';
$fault->baseline;
my $kept = sub { $fault->ask('GET', '/kept/before') };

$fault->sweep('a small body', flow => sub ($n) { $fault->ask('POST', "/fresh/$n", body => bytes($n, 100)) });
$fault->sweep('a small body on a kept connection to the peer', kept => 1, before => $kept,
    flow => sub ($n) { $fault->ask('POST', "/kept/$n", body => bytes($n, 100)) });
$fault->sweep('a body in a temporary file', kept => 1, flow => sub ($n) { $fault->ask('POST', "/fresh/$n", body => bytes($n, 30000)) });
$fault->sweep('a body in a file with a name', kept => 1, flow => sub ($n) { $fault->ask('POST', "/named/$n", body => bytes($n, 1000)) });
$fault->sweep('a chunked body, buffered', kept => 1,
    flow => sub ($n) { $fault->ask('POST', "/fresh/$n", chunked("/fresh/$n", bytes($n, 3000))) });
$fault->sweep('a chunked body, streamed', kept => 1,
    flow => sub ($n) { $fault->ask('POST', "/stream/$n", chunked("/stream/$n", bytes($n, 3000))) });
$fault->sweep('a large body, streamed', kept => 1,
    flow => sub ($n) { $fault->ask('POST', "/stream/$n", body => bytes($n, 150_000)) });
$fault->sweep('a body that waits for 100', kept => 1, flow => \&expecting);

my %unremoved = map { $_ => 1 } $w->error_log =~ /the body's file "([^"]+)" could not be removed/g;
is_deeply [ grep { !$unremoved{$_} } glob $w->dir . '/named/*/*' ], [], 'no file with a name is left but those that the log tells of';

# What is not safe to repeat was never repeated.
my %times;
$times{$_}++ for grep { /^POST/ && !/warm/ } $origin->lines;
is_deeply [ grep { $times{$_} > 1 } sort keys %times ], [], 'no POST reached the origin twice';

done_testing;
