# Options and tools for a running instance say what is wrong when none runs, when the pid file was left behind, and when its number is another program's
# by now: that one is never signalled.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('tools say when nothing runs')->needs_weir->allow_log(qr/kill\(\d+, \d+\) failed/);
$w->conf("server { location / { return 200 ok; } }", main => "store_path store;\nrecorder_requests 10;\n");
my $id   = '0123456789abcdef' x 2;
my @ways = ([ '-s', 'reload' ], [ '-s', 'reload', '--wait' ], map { [ '-s', $_ ] } qw(reopen quit stop upgrade));
push @ways, ['zones'], ['tail'], [ 'why', $id ];
my $each = sub ($what, $pattern) {
    for my $words (@ways) {
        my ($code, $said) = $w->tool(@$words);
        is $code, 1, "$what: @$words fails";
        like $said, $pattern, 'and says why';
        unlike $said, qr/^KIND/m, 'and nothing else';
    }
};
$each->('no pid file', qr{open\(\) "\S+weir\.pid" failed \(2: .*\n.*nothing runs with this configuration, or its pid file is elsewhere}s);

my $gone = fork // die;
POSIX::_exit(0) unless $gone;
waitpid $gone, 0;
$w->write_file('logs/weir.pid', "$gone\n");
$each->('a process that has gone', qr/process $gone, which the pid file names, has ended|kill\($gone, \d+\) failed \(3: No such process\)/);

my $other = fork // die;
unless ($other) { $SIG{$_} = 'DEFAULT' for qw(HUP USR1 USR2 QUIT TERM ALRM); alarm 60; sleep 1 while 1 }
$w->write_file('logs/weir.pid', "$other\n");
$each->("another program's", qr/process $other, which the pid file names, is not Weir: the pid file is stale/);
is waitpid($other, POSIX::WNOHANG()), 0, 'which lives on';
kill 'KILL', $other;
waitpid $other, 0;
unlink $w->dir . '/logs/weir.pid';

my ($code, $said) = $w->tool(qw(consumer list));
is $code, 1, 'a store that is not there yet cannot be listed';
unlike $said, qr/^CONSUMER/m, 'and there is no head of a list';
is +($w->tool(qw(consumer add acme)))[0], 0, 'a consumer';
($code, $said) = $w->tool(qw(key list nobody));
is $code, 1, 'keys of nobody';
like $said, qr/^weir: there is no consumer "nobody"$/m, 'who is not there';
($code, $said) = $w->tool(qw(key list acme));
is $code, 0, 'keys of somebody without any';
like $said, qr/^ID .*LABEL\n\z/m, 'an empty list';

for my $case ([ '--help', 0, qr/^Usage: weir/m ], [ '--version', 0, qr/^weir version: / ], [ '--halp', 1, qr/invalid option: "--halp"/ ], [ '--', 1, qr/invalid option: "--"/ ]) {
    my ($word, $expected, $pattern) = @$case;
    ($code, $said) = $w->tool($word);
    is $code, $expected, "$word: exit code";
    like $said, $pattern, 'and text';
}
done_testing;
