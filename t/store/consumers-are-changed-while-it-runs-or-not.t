# weir consumer, plan, key: who may come, changed through the running instance, or in the file when none runs; what is wrong is told.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('consumers are changed while it runs or not')->needs_weir;
$w->conf('server { location / { return 200 ok; } }', main => "store_path store;\n");

my $good = sub ($said, @words) { my ($code, $text) = $w->tool(@words); is "$code: $text", "0: $said", "@words" };
my $bad  = sub ($said, @words) { my ($code, $text) = $w->tool(@words); is $code, 1, "refused: @words"; like $text, $said, 'and told why' };

my ($code, $said) = $w->tool(qw(consumer list));
is $code, 1, 'nothing is there to list';
like $said, qr/store in ".*store" cannot be opened: No such file/, 'which is told';

for my $running ('before it runs', 'while it runs') {
    note $running;
    $good->('', qw(plan add gold hour=10 day=200));
    $good->('', qw(plan set gold hour=none month=3000));
    $good->('', qw(consumer add acme plan=gold));
    $good->('', qw(consumer add bob.the-builder@example.org));
    $bad->(qr/there is a consumer "acme" already/, qw(consumer add acme));
    $bad->(qr/there is no plan "lead"/, qw(consumer set acme plan=lead));
    $bad->(qr/there is no consumer "eve"/, qw(consumer set eve disabled=on));
    $bad->(qr/"name" must be a name: 1 to 63/, qw(consumer add), 'a b');
    $bad->(qr/"name" must be a name: 1 to 63/, qw(consumer add), 'n' x 64);
    $bad->(qr/consumer "acme" has the plan "gold"/, qw(plan remove gold));
    $bad->(qr/there is no plan "silver"/, qw(plan remove silver));
    $bad->(qr/there is a plan "gold" already/, qw(plan add gold));
    $bad->(qr/"hour" may be at most/, qw(plan set gold hour=1099511627776));
    $bad->(qr/"hour=many" of "plan" must be a number of requests or none/, qw(plan set gold hour=many));
    $bad->(qr/"consumer set" does not take "color=red"/, qw(consumer set acme color=red));
    $bad->(qr/"consumer set" must have a name/, qw(consumer set plan=gold));
    $bad->(qr/"consumer" must be followed by add set remove list/, qw(consumer));
    $bad->(qr/"plan" must be followed by add set remove list/, qw(plan drop gold));
    like +($w->tool(qw(consumer list)))[1], qr/^CONSUMER .*\nacme +gold +active +\S+Z -\nbob\.the-builder\@example\.org - +active +\S+Z -\n\z/, 'consumers in order';
    like +($w->tool(qw(plan list)))[1], qr/^PLAN .*\ngold +- +200 +3000 +- +0 +-\n\z/, 'the plan as it was set';

    my ($key) = ($w->tool(qw(key create acme label=first expires=2030-01-31)))[1] =~ /^(weir_[A-Za-z0-9_-]{43})\n/m;
    ok $key, 'a key is shown once';
    my ($id) = ($w->tool(qw(key list acme)))[1] =~ /^([0-9a-f]{16}) acme +\S+Z +2030-01-31T00:00:00Z +first$/m;
    ok $id, 'and listed by its id, with when it ends';
    $bad->(qr/there is no consumer "eve"/, qw(key create eve));
    $bad->(qr/must be a time from now as 30d/, qw(key create acme expires=2030-02-30));
    $bad->(qr/must be a time from now as 30d/, qw(key create acme expires=soon));
    $bad->(qr/must be -, for the first line of standard input/, qw(key create acme secret=open-sesame-open));
    $bad->(qr/"id" must be 8 to 16 hex digits/, qw(key revoke 1234567));
    $bad->(qr/there is no key "12345678"/, qw(key revoke 12345678));
    is +($w->tool(qw(key list nobody)))[1] =~ tr/\n//, 1, 'nobody has none';
    unlike join('', map { my $file = $_; open my $in, '<:raw', $file; local $/; <$in> } glob $w->dir . '/store/*.mdb'), qr/\Q$key\E/, 'the file has no key, only its hash';
    $good->("$id\n", qw(key revoke), substr $id, 0, 8);

    $good->('', qw(consumer remove acme));
    $good->('', qw(consumer remove bob.the-builder@example.org));
    $good->('', qw(plan remove gold));
    $w->start;
}

# A key that somebody brings along comes by standard input.
$good->('', qw(consumer add acme));
$w->write_file('secret', "a-key-of-another-gateway\n");
my @tool = ($w->bin, '-p', $w->dir . '/', '-c', 'conf/weir.conf', qw(key create acme secret=-));
my $pid = fork // die;
if (!$pid) {
    open STDIN, '<', $w->dir . '/secret' or die;
    open STDOUT, '>', $w->dir . '/said' or die;
    exec @tool;
}
waitpid $pid, 0;
is $?, 0, 'it is taken';
my $id = substr `printf a-key-of-another-gateway | sha256sum`, 0, 16;
like +($w->tool(qw(key list)))[1], qr/^$id acme /m, 'its id is the beginning of its SHA-256';
is Weir::Server::slurp($w->dir . '/said'), "$id\n", 'which is all that is said';
for my $file (qw(weir.mdb weir.mdb-lock seeds lock socket)) {
    my $mode = $> == 0 && $file =~ /^(?:weir\.mdb|lock)$/ ? 0640 : 0600;
    is +(stat $w->dir . "/store/$file")[2] & 0777, $mode, "$file is the owner's alone" . ($mode == 0640 ? ' to write' : '');
}

done_testing;
