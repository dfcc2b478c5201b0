# The control process has no root, no groups, no capabilities and gets no new privileges; a few descriptors; an environment
# without what Weir was started with; and nothing of the configuration in its memory.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('the control process has neither keys nor rights')->needs_weir;
my $secret = 'Tn7q' . 'XwSecretOfTheConfiguration';
$ENV{WEIR_TEST_SECRET} = 'in-the-environment';
$w->conf("server { location / { return 200 '$secret'; } }", workers => 1, main => 'env WEIR_TEST_SECRET;')->start;
is $w->get('/')->body, $secret, 'it serves';
is +($w->control_client->ask(GET => '/v1'))[0], 200, 'the socket answers';
my $pid = $w->control_process;
ok $pid, 'there is a control process' or BAIL_OUT('none');

my %status = Weir::Server::slurp("/proc/$pid/status") =~ /^(\w+):[ \t]*(.*)$/mg;
is $status{NoNewPrivs}, 1, 'it gets no new privileges';
is $status{CapEff} =~ /[1-9a-f]/ || $status{CapPrm} =~ /[1-9a-f]/ ? 1 : 0, 0, 'it has no capabilities';
is $status{PPid}, $w->pid, 'it is the master\'s child';
SKIP: {
    skip 'Weir was not started by root, so that nobody is another user', 4 if $> != 0;
    my ($uid) = split ' ', $status{Uid};
    isnt $uid, 0, 'it is not root';
    my ($workers) = split ' ', { Weir::Server::slurp('/proc/' . ($w->workers)[0] . '/status') =~ /^(\w+):[ \t]*(.*)$/mg }->{Uid};
    isnt $uid, $workers, 'nor the workers\' user';
    is $status{Groups} =~ s/\s//gr, '', 'it has no groups';
    is +(split ' ', $status{Gid})[0] == 0 ? 1 : 0, 0, 'nor root\'s';
}
my @fds = grep { defined } map { readlink } glob "/proc/$pid/fd/*";
my @sockets = grep { /^socket:/ } @fds;
cmp_ok scalar(@fds), '<=', 8, 'it has few descriptors' or diag "@fds";
cmp_ok scalar(@sockets), '<=', 3, 'the socket, the link, and perhaps a client';
is scalar(grep { /\.conf|memfd|error\.log|\.mdb/ } @fds), 0, 'and none of a file';
SKIP: {
    skip 'its memory is closed to this user', 3 unless open my $memory, '<:raw', "/proc/$pid/mem";
    my ($found, $title, $looked) = (0, 0, 0);
    for my $map (split /\n/, Weir::Server::slurp("/proc/$pid/maps")) {
        my ($from, $to, $mode) = $map =~ /^([0-9a-f]+)-([0-9a-f]+) (r\S+)/ or next;
        next if $map =~ /\[v(?:var|sys)/;
        no warnings 'portable';
        my ($at, $len) = (hex $from, hex($to) - hex $from);
        next if $len > 64 * 1024 * 1024;
        sysseek $memory, $at, 0 or next;
        my $n = sysread $memory, (my $bytes), $len;
        next unless $n;
        $looked += $n;
        $found++ if index($bytes, $secret) >= 0 || index($bytes, 'in-the-environment') >= 0;
        $title++ if index($bytes, 'weir: control process') >= 0;
    }
    cmp_ok $looked, '>', 100_000, 'its memory is looked at';
    cmp_ok $title, '>', 0, 'and has what is looked for, if it has it';
    is $found, 0, 'nothing of the configuration or of the environment is there';
}
is +($w->run('--control-process', '3,4,0,0,600,0,0,0'))[0], 1, 'who starts one by hand is told that this is no command';
done_testing;
