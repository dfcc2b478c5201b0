# RFC 8446 §8, RFC 8470: 0-RTT data is off unless asked for; then only safe methods are served from it (425 otherwise), and a hello
# that is sent again, to any worker, is not let in twice.
use v5.36;
use lib 't/lib';
use IO::Select;
use IO::Socket::IP;
use Time::HiRes qw(sleep time);
use Weir::Pki;
use Weir::Test;

needs('openssl');
my $w    = Weir::Test->new('early data is taken once and for safe methods');
my $site = Weir::Pki->authority($w, 'root')->server('localhost');
$w->time_limit(120);
$w->conf(<<"END", workers => 2);
    log_format judged '\$request_method \$uri \$status \$weir_cause early=\$ssl_early_data'; access_log logs/judged.log judged;
    server { listen 127.0.0.1:%%PORT%% ssl; @{[ $site->conf ]} ssl_early_data on; location / { return 200 "early=\$ssl_early_data."; } }
    server { listen 127.0.0.1:%%PORT_off%% ssl; @{[ $site->conf ]} location / { return 200 "early=\$ssl_early_data."; } }
END
$w->start;
my $request = sub ($method, $path) { "$method $path HTTP/1.1\r\nHost: localhost\r\n" . ($method eq 'POST' ? "Content-Length: 0\r\n" : '') . "Connection: close\r\n\r\n" };
# openssl s_client: a session into a file, or early data under one.
my $dir     = $w->dir;
my $session = sub ($port, $name = 'session') {
    $w->write_file('ask', $request->('GET', '/session'));
    my ($code, $said) = $w->command(20, 'sh', '-c', "cat $dir/ask | openssl s_client -connect 127.0.0.1:$port -servername localhost -tls1_3 -sess_out $dir/$name -ign_eof 2>&1");
    return $said;
};
my $early = sub ($port, $method, $path, $name = 'session') {
    $w->write_file('early', $request->($method, $path));
    my ($code, $said) = $w->command(20, 'sh', '-c', "openssl s_client -connect 127.0.0.1:$port -servername localhost -tls1_3 -sess_in $dir/$name -early_data $dir/early -ign_eof 2>&1 < /dev/null & p=\$!; sleep 0.5; kill \$p 2>/dev/null; wait \$p");
    return $said;
};
$session->($w->port('off'), 'off');
unlike $early->($w->port('off'), 'GET', '/off', 'off'), qr/Early data was accepted/, 'off unless asked for';

# In its first 20 s Weir lets none in: it cannot know what one before it did.
$session->($w->port);
unlike $early->($w->port, 'GET', '/too-soon'), qr/Early data was accepted/, 'not at once after a start';
my ($said, $until) = ('', time + 40);
until ($said =~ /Early data was accepted/ || time > $until) {
    sleep 1;
    $session->($w->port);
    $said = $early->($w->port, 'GET', '/get');
}
like $said, qr/Early data was accepted/, 'later it is';
like $said, qr/HTTP\/1\.1 200 OK/, 'and served';

# A relay that passes on the client's first flight only: what is served then is served before the handshake is complete.
my $relay = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => 0, Listen => 5) or die $!;
my $read  = sub ($fh, $seconds) { return '' unless IO::Select->new($fh)->can_read($seconds); my $n = sysread $fh, my $bytes, 65536; return $n ? $bytes : '' };
my $first_flight = sub ($method, $path) {
    $w->write_file('early', $request->($method, $path));
    my $out = $w->background('sh', '-c', "openssl s_client -connect 127.0.0.1:@{[ $relay->sockport ]} -servername localhost -tls1_3 -sess_in $dir/session -early_data $dir/early -ign_eof 2>&1 < /dev/null");
    my $client = $relay->accept;
    my $flight = '';
    while (1) {
        my $bytes = $read->($client, length $flight ? 0.3 : 5);
        last if $bytes eq '';
        $flight .= $bytes;
    }
    return ($client, $flight, $out);
};
my $held_back = sub ($method, $path) {
    $session->($w->port);
    my ($client, $flight, $out) = $first_flight->($method, $path);
    my $weir = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $w->port) or die $!;
    syswrite $weir, $flight;
    while ((my $bytes = $read->($weir, 1)) ne '') { syswrite $client, $bytes }
    close $client;
    close $weir;
    return ($out->(20))[1];
};
like $held_back->('GET', '/get'), qr/HTTP\/1\.1 200 OK.*early=1\./s, 'a GET is answered at once, and variables tell';
like $held_back->('POST', '/post'), qr/HTTP\/1\.1 425 /, 'a POST is 425';
is $w->wait_for_access(qr/^POST \S+ (425 \S+)/m, 'judged.log'), '425 client.early_data', 'and says why';

# The same bytes again, ten times.
$session->($w->port);
my ($client, $flight) = $first_flight->('GET', '/replayed');
cmp_ok length $flight, '>', 300, 'a first flight with early data';
for my $n (1 .. 10) {
    my $weir = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $w->port) or die $!;
    syswrite $weir, $flight;
    $read->($weir, 2);
    close $weir;
}
close $client;
$w->wait_for_access(qr/^GET \/replayed/m, 'judged.log');
$w->stop;
is scalar(() = $w->access_log('judged.log') =~ /^GET \/replayed/mg), 1, 'said ten times it is one request';

done_testing;
