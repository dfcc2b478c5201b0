# A worker is stopped, as it may be in the middle of anything it shares.  The others never wait for it: limits stay exact, the store takes
# changes and does not grow for the reader that stands still, a reload goes through; and when it goes on it sees what is now.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Store;
use Weir::Test;

my $w = Weir::Test->new('a stopped worker delays no other process')->needs_weir;
$w->time_limit(90);
$w->conf(<<'END', workers => 2, main => "store_path store;\nstore_flush 20ms;\nworker_watchdog off;\n");
    limit_req_zone $arg_k zone=r:1m rate=1r/m;
    limit_conn_zone $arg_k zone=c:1m;
    quota_zone $arg_k zone=q:1m per=day;
    server {
        location / { limit_conn c 100; quota zone=q limit=10; add_header X-Pid $pid; empty_gif; }
        location /rate { limit_req zone=r; empty_gif; }
        location /key { api_key $arg_key; add_header X-Pid $pid; empty_gif; }
        location /status { status; }
    }
END
$w->tool(qw(consumer add acme));
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)$/m;
$w->start;
# What a client waits for at most; those whose connection the stopped one was given ask again.
my $slowest = 0;
my $ask = sub ($path) {
    for (1 .. 200) {
        my $client = $w->client;
        my $from   = time;
        $client->send("GET $path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        vec(my $bits = '', fileno $client->fh, 1) = 1;
        vec($bits, fileno $client->fh, 1) = 1;
        if (!select $bits, undef, undef, 0.3) { $client->close; next }
        my $answer = $client->read_response;
        $slowest = time - $from if time - $from > $slowest;
        return $answer;
    }
    die "nobody answered\n";
};
is $ask->("/key?key=$key")->status, 200, 'a key is known' for 1 .. 4;
my ($stopped, $other) = sort $w->workers;
for my $round (1 .. 8) {
    # In the middle of requests: of its own, and of others that it shares all of this with.
    my @busy = map { $w->client->send("GET /?k=busy$round-$_ HTTP/1.1\r\nHost: a\r\n\r\n" x 3 . "GET /key?key=$key HTTP/1.1\r\nHost: a\r\n\r\n" x 3) } 1 .. 20;
    kill 'STOP', $stopped;
    my $got = join ' ', map { $ask->("/?k=k$round")->status } 1 .. 12;
    is $got, join(' ', (200) x 10, 429, 429), "$round: a quota is exact";
    is join(' ', map { $ask->("/rate?k=r$round")->status } 1 .. 3), '200 503 503', "$round: so is a rate";
    is +($w->tool('consumer', 'add', "c$round-$_"))[0], 0, "$round: the store takes changes" for 1 .. 3;
    is $ask->("/key?key=$key")->status, 200, "$round: and is read";
    kill 'CONT', $stopped;
    $_->close for @busy;
}
kill 'STOP', $stopped;
my $size = sub () { -s $w->dir . '/store/weir.mdb' };
$w->tool('consumer', 'add', "warm$_") for 1 .. 140;           # as many pages as the writer holds back are made
my $before = $size->();
$w->tool('consumer', 'add', "more$_") for 1 .. 120;
cmp_ok $size->() - $before, '<', 512 * 1024, 'the store does not grow for a reader that stands still (' . ($size->() - $before) . ')';
my ($new) = ($w->tool(qw(key create more120)))[1] =~ /^(weir_\S+)$/m;
my ($revoked) = ($w->tool(qw(key list acme)))[1] =~ /^([0-9a-f]{16})/m;
kill 'KILL', $other;
$w->workers_may_change->allow_log(qr/exited on signal 9/);
kill 'CONT', $stopped;
my %seen;
for (1 .. 60) {
    my $answer = $ask->("/key?key=$new");
    $seen{ $answer->header('X-Pid') }{ $answer->status }++;
}
is_deeply [ grep { $_ ne '200' } map { keys %$_ } values %seen ], [], 'when it goes on it sees what is now';
ok $seen{$stopped}, 'it was asked';
cmp_ok $slowest, '<', 0.3, sprintf 'nobody waited long (%.0f ms)', 1000 * $slowest;
done_testing;
