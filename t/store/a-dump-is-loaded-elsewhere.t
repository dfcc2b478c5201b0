# weir store: what is dumped can be loaded into another store, with its counts; a file is compacted, a copy is one; what is wrong is told.
use v5.36;
use lib 't/lib';
use Weir::Store;
use Weir::Test;

Weir::Store::not_at_the_end_of_a_month();
my $conf = sub ($w, $origin) { $w->conf(<<"END", main => "store_path store;\n", workers => 2) };
    quota_zone \$consumer zone=month:1m per=month;
    server { location / { api_key \$http_x_api_key; quota zone=month limit=\$consumer_quota_month; proxy_pass http://$origin; } }
END
# With a file for standard input.
my $feed = sub ($w, $text, @words) {
    $w->write_file('lines', $text);
    my $said = $w->dir . '/said';
    my $pid = fork // die;
    if (!$pid) {
        open STDIN, '<', $w->dir . '/lines' or die;
        open STDOUT, '>', $said or die;
        open STDERR, '>&', \*STDOUT or die;
        exec $w->bin, '-p', $w->dir . '/', '-c', 'conf/weir.conf', '-e', 'logs/error.log', @words;
    }
    waitpid $pid, 0;
    return ($? >> 8, Weir::Server::slurp($said));
};

my $w      = Weir::Test->new('a dump is loaded elsewhere')->needs_weir;
my $origin = $w->origin;
$conf->($w, $origin);
$w->start;
$w->tool(qw(plan add gold month=5));
$w->tool(qw(consumer add acme plan=gold));
my ($key) = ($w->tool(qw(key create acme label=älter)))[1] =~ /^(weir_\S+)/m;
is $w->get('/', 'X-API-Key' => $key)->status, 200, 'three of five are used' for 1 .. 3;
is +($w->tool(qw(store flush)))[0], 0, 'and written';
my ($code, $dump) = $w->tool(qw(store dump));
is $code, 0, 'a dump, while it runs';
like $dump, qr/^\{"table":"meta","layout":2,"seeds":"[0-9a-f]{32}"\}$/m, 'says what it is of';
like $dump, qr/^\{"table":"plans","name":"gold","hour":null,"day":null,"month":5,"created":\d+,"rate":null,"burst":0,"concurrency":null\}$/m, 'has the plan';
like $dump, qr/^\{"table":"consumers","name":"acme","plan":"gold","disabled":false,"created":\d+,"groups":\[\],"meta":\{\}\}$/m, 'the consumer';
like $dump, qr/^\{"table":"keys","hash":"[0-9a-f]{64}","consumer":"acme","label":"älter","created":\d+,"expires":0\}$/m, 'the key by its hash';
like $dump, qr/^\{"table":"cells","kind":"quota","zone":"month","key":"[0-9a-f]{16}","value":\d+,"expires":\d+\}$/m, 'and what was counted';
unlike $dump, qr/\Q$key\E/, 'but not the key';

my $copy = $w->dir . '/copy.mdb';
is +($w->tool('store', 'compact', $copy))[0], 0, 'a copy, while it runs';
is +(stat $copy)[2] & 0777, 0600, "which is the owner's alone";
is +($w->tool('store', 'compact', $copy))[0], 1, 'nothing is overwritten';
my ($refused, $why) = $w->tool(qw(store compact));
is $refused, 1, 'the file itself is not compacted while it is in use';
like $why, qr/"store compact FILE" makes a copy.*it is in use/s, 'which is told';

my $other = Weir::Test->new('another one')->needs_weir;
$conf->($other, $origin);
($code, my $said) = $feed->($other, $dump, qw(store load));
is "$code $said", "0 4 records loaded\n", 'loaded where none runs';
is +($other->tool(qw(store dump)))[1], $dump, 'it is the same';
$other->start;
is $other->get('/', 'X-API-Key' => $key)->status, 200, 'two are left' for 1 .. 2;
is $other->get('/', 'X-API-Key' => $key)->status, 429, 'and no more';

my $third = Weir::Test->new('a third one')->needs_weir;
$conf->($third, $origin);
$third->start;
($code, $said) = $feed->($third, $dump, qw(store load));
is $code, 0, 'loaded where one runs';
like $said, qr/^3 records loaded\n1 counts skipped: they are of another store/, 'which counts by other seeds';
is $third->get('/', 'X-API-Key' => $key)->status, 200, 'keys are known at once' for 1 .. 5;

my $line = '{"table":"consumers","name":"eve","plan":"","disabled":false,"created":1}';
for my $case ([qr/line 1 is not JSON/, "{\n"], [qr/line 2: "table" must be/, "$line\n{\"table\":\"x\"}\n"], [qr/line 1: "name" must be a name/, '{"table":"plans"}'],
    [qr/line 1: "hash" must be 64 hex digits/, '{"table":"keys","hash":"zz","consumer":"eve"}'],
    [qr/of a newer version of Weir/, '{"table":"meta","layout":3,"seeds":"00000000000000000000000000000000"}'],
    [qr/line 1: "seeds" must be 32 hex digits/, '{"table":"meta","layout":1}'],
    [qr/line 1 is not JSON: duplicate/, '{"table":"plans","table":"plans"}'], [qr/line 1: "hour" must be a whole number/, '{"table":"plans","name":"p","hour":-1}']) {
    my ($complaint, $text) = @$case;
    ($code, $said) = $feed->($third, $text, qw(store load));
    is $code, 1, 'refused';
    like $said, $complaint, 'and told why';
}
my $many = join '', map { "{\"table\":\"consumers\",\"name\":\"c$_\",\"plan\":\"\",\"disabled\":false,\"created\":1}\n" } 1 .. 3000;
is +($feed->($third, $many, qw(store load)))[1], "3000 records loaded\n", 'many are loaded through the socket';
is +(() = ($third->tool(qw(consumer list)))[1] =~ /^c\d+ /mg), 3000, 'and are there';
$third->tool(qw(consumer remove), "c$_") for 1 .. 3;
($code, $said) = $feed->($third, '{"table":"keys","hash":"' . 'ab' x 32 . '","consumer":"nobody"}', qw(store load));
($code, $said) = $third->tool(qw(store check));
is "$code $said", "1 key abababababababab belongs to a consumer \"nobody\", which is not there\n1 faults\n", 'what refers to nothing is found';

$third->stop;
my $before = -s $third->dir . '/store/weir.mdb';
is +($third->tool(qw(store compact)))[0], 0, 'compacted when none runs';
ok -s $third->dir . '/store/weir.mdb' < $before, 'it is smaller';
is +(() = ($third->tool(qw(consumer list)))[1] =~ /^c\d+ /mg), 2997, 'with what was there';
$third->start;
is $third->get('/', 'X-API-Key' => $key)->status, 429, 'and it is served';
is +($third->tool(qw(store nonsense)))[0], 1, 'what is no verb is refused';
is +($third->tool(qw(store dump x)))[0], 1, 'and what is too much';

done_testing;
