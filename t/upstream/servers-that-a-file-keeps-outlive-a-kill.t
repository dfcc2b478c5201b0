# With `state` the servers of a group are in a file, in nginx Plus's words; what is changed while the instance runs is there
# when the change is answered, so that a kill of all processes loses nothing of it.  A file that is not there is an empty group.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('servers that a file keeps outlive a kill')->needs_weir;
my ($a, $b, $c) = map { my $name = $_; $w->origin(sub { shift->reply(200, $name) }) } qw(a b c);
my $file = $w->dir . '/servers.state';
my $text = sub { open my $in, '<', $file or return ''; local $/; return scalar <$in> };
my $seen = sub { my %seen; $seen{ $w->get('/')->body }++ for 1 .. 20; join ' ', sort keys %seen };
my $conf = "upstream api { state $file; } server { location / { proxy_pass http://api; error_page 502 = \@none; } location \@none { return 200 none; } }";
$w->conf($conf, workers => 2)->allow_log(qr/upstream\.none|exited on signal 9|has "state"|no address|invalid parameter/)->workers_may_change->descriptors_may_stay;
is $seen->(), 'none', 'a group without a file has no servers';
for ([ 'add', "$a", 'weight=2' ], [ 'add', "$b" ], [ 'add', "$c", 'max_fails=3', 'fail_timeout=5s' ]) {
    my ($code, $said) = $w->tool('upstream', 'api', @$_);
    is $code, 0, "@$_" or diag $said;
}
is $text->(), "server $a weight=2;\nserver $b;\nserver $c max_fails=3 fail_timeout=5000ms;\n", 'they are in the file at once';
is $seen->(), 'a b c', 'and serve';
is +($w->tool('upstream', 'api', 'remove', "$b"))[0], 0, 'one goes';
is +($w->tool('upstream', 'api', 'set', "$c", 'down'))[0], 0, 'one is down';
is $text->(), "server $a weight=2;\nserver $c max_fails=3 fail_timeout=5000ms down;\n", 'the file has it';

$w->reload($conf);
is $seen->(), 'a', 'a reload reads it';
like +($w->tool('upstream', 'api', 'list'))[1], qr/^\Q$c\E +configuration +down /m, 'as what is configured';
is +($w->tool('upstream', 'api', 'set', "$c", 'up'))[0], 0, 'what it has can be changed';
is $seen->(), 'a c', 'and is';
is +($w->tool('upstream', 'api', 'add', "$b"))[0], 0, 'as another one';

kill KILL => $w->{pid};
$w->{guard}->wait($w->{pid}, 10);
undef $w->{pid};
$w->start;
is $seen->(), 'a b c', 'after a kill it is as it was';

my ($code, $said) = $w->check_conf("upstream api { state $file; server $a; }");
ok $code != 0 && $said =~ /has "state", so that its servers are in/, 'other servers in the block are refused' or diag $said;
$w->write_file('servers.state', "server $a;\nserver localhost:1;\n");
($code, $said) = $w->check_conf("upstream api { state $file; }");
ok $code != 0 && $said =~ /"localhost:1" is no address.*weir\.conf:\d+/s, 'names are refused' or diag $said;
$w->write_file('servers.state', "server $a colour=red;\n");
($code, $said) = $w->check_conf("upstream api { state $file; }");
ok $code != 0 && $said =~ /invalid parameter "colour=red"/, 'so is what is no parameter' or diag $said;
$w->write_file('servers.state', "# nginx Plus's\nserver $a weight=5 max_fails=0; server $b backup;\n");
($code, $said) = $w->check_conf("upstream api { state $file; }");
is $code, 0, "a file of nginx Plus's is read" or diag $said;

done_testing;
