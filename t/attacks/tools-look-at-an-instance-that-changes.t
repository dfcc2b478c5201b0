# `explain --live`, `diff --recorder` and `reload --guard` while the instance reloads, workers are killed and clients send what they like: each ends
# with a code that it may have, says nothing raw, and the instance serves on.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $seed = $ENV{WEIR_SEED} // 9;
srand $seed;
note "WEIR_SEED=$seed";
my $w = Weir::Test->new('tools look at an instance that changes')->needs_weir->allow_log(qr/./);
$w->workers_may_change->descriptors_may_stay;
$w->time_limit(240);
my $text = sub ($n) { "server { location /a { return 200 $n; } location /b$n { deny all; return 200 x; } location / { require \$arg_x != $n; return 204; } }" };
$w->write_file("conf/$_.conf", '') for 1 .. 2;
$w->conf($text->(1), main => "recorder_requests 64;\n");
$w->write_file('conf/old.conf', Weir::Server::slurp($w->conf_file));
$w->start;
my @junk = map { my $n = $_; join '', map { chr int rand 256 } 1 .. $n * 40 } 1 .. 10;
my $throw = sub {
    for my $junk (@junk[ map { rand @junk } 1 .. 3 ], "GET /\e[2J\x9b HTTP/1.1\r\nHost: a\e[31m\r\n\r\n", "GET /" . 'x' x (200 + rand 200) . " HTTP/1.1\r\nHost: " . 'h' x 80 . "\r\n\r\n") {
        my $client = eval { $w->client } or next;
        eval { $client->send($junk); $client->close };
    }
    eval { $w->request('GET', $_) } for '/a', '/b1', '/c?x=2';
};
my %seen;
for my $round (1 .. 12) {
    $throw->();
    $w->conf($text->(1 + $round % 2), main => "recorder_requests 64;\n");
    kill HUP => $w->pid if $round % 3 == 1;
    kill KILL => ($w->workers)[0] if $round % 4 == 2;
    for my $tool (
        [ [ 0, 1, 2, 3 ], 'explain', '--live', 'GET http://localhost:' . $w->port . '/a' ],
        [ [ 0, 1, 2 ], 'diff', '--recorder', 'conf/old.conf', 'conf/weir.conf' ],
        [ [ 0, 1, 2 ], 'diff', '--recorder', '--json', 'conf/old.conf', 'conf/weir.conf' ],
        [ [ 0, 1, 2 ], 'reload', '--guard', '10%' ]) {
        my ($may, @words) = @$tool;
        my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', @words);
        my ($raw) = $said =~ /([^\n\x20-\x7e].{0,20})/s;
        $seen{"$words[0] $code"}++;
        next if !defined $raw && grep { $_ == $code } @$may;
        fail "round $round: @words: $code";
        diag substr $said, 0, 500;
    }
}
note join ', ', map { "$_: $seen{$_}" } sort keys %seen;
ok $seen{'explain 0'} && $seen{'reload 0'}, 'they do what they are for';
ok $seen{'diff 0'} || $seen{'diff 2'}, 'each of them';
$w->wait_until('a worker serves', sub { my $answer = eval { $w->request('GET', '/a') }; $answer && $answer->status == 200 });
pass 'and the instance serves';
done_testing;
