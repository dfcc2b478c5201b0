# Somebody who has taken over a worker can neither kill, stop nor trace the store's process, whom the system starts as another user even where nobody named
# one.  Where all are of one user the process is closed to the debugger, another one takes its place when it is killed, and nothing is lost.
use v5.36;
use lib 't/lib';
use Fcntl qw(O_RDONLY O_RDWR);
use Weir::Store;
use Weir::Test;

plan skip_all => 'root alone can keep users apart' if $> != 0;
plan skip_all => 'a sanitizer looks at its processes, from others of their name'
    if Weir::Test->new('a worker cannot stop the store')->is_sanitized;

my $store_process = sub ($w) { (grep { Weir::Server::slurp("/proc/$_/cmdline") =~ /store process/ } $w->{guard}->members($w->pid))[0] };
my $uid = sub ($pid) { (Weir::Server::slurp("/proc/$pid/status") =~ /^Uid:\t(\d+)/m)[0] };

# What the worker's user may do to the process.
my $as_worker = sub ($w, $pid) {
    my $user = $uid->(($w->workers)[0]);
    pipe my $read, my $write or die;
    my $child = fork // die;
    if (!$child) {
        $) = '65534 65534';
        $( = 65534;
        $< = $> = $user;
        my %try = (
            'a signal' => sub { kill 0, $pid },
            'a stop' => sub { kill 'STOP', $pid },
            'its memory' => sub { sysopen my $f, "/proc/$pid/mem", O_RDWR },
            'its files' => sub { opendir my $d, "/proc/$pid/fd" },
            'a debugger' => sub { syscall(101, 16, $pid, 0, 0) == 0 },            # ptrace(PTRACE_ATTACH)
        );
        delete $try{'a stop'} if $user == $uid->($pid);
        syswrite $write, join ', ', grep { $try{$_}->() } sort keys %try;
        POSIX::_exit(0);
    }
    close $write;
    my $may = do { local $/; readline $read } // '';
    waitpid $child, 0;
    return $may;
};

my $text = 'http { quota_zone $arg_k zone=q:1m per=day; server { location / { quota zone=q limit=3; empty_gif; } location /key { api_key $arg_key; empty_gif; } } }';
for my $user ('nobody nogroup', 'daemon', 'www-data') {
    next unless defined getpwnam($user =~ s/ .*//r);
    my $w = Weir::Test->new('a worker cannot stop the store')->needs_weir;
    $w->conf($text, main => "user $user;\nworker_rlimit_core 0;\nstore_path store;\n", workers => 1);
    is $w->get('/?k=a')->status, 200, "$user: it serves";
    my ($worker, $store) = (($w->workers)[0], $store_process->($w));
    isnt $uid->($store), $uid->($worker), "$user: the store's process is another's";
    isnt $uid->($store), 0, "$user: and not root's";
    is $as_worker->($w, $store), '', "$user: nothing can be done to it";
    is +($w->tool(qw(consumer add acme)))[0], 0, "$user: it writes";
    $w->reload;
    is $as_worker->($w, $store_process->($w)), '', "$user: nor after a reload";
    my $before = $store_process->($w);
    rename $w->dir . '/logs/error.log', $w->dir . '/logs/error.old' or die;
    $w->signal('USR1');
    my $logs = sub () {
        my $now = $store_process->($w) // $before;
        return $now == $before ? () : grep { /error\./ } map { readlink($_) // '' } glob "/proc/$now/fd/*";
    };
    $w->wait_until('another process has a log', sub { scalar(my @all = $logs->()) });
    is_deeply [ grep { !/error\.log$/ } $logs->() ], [], "$user: after a rotation it has the new log";
    is +($w->tool(qw(consumer add other)))[0], 0, "$user: and writes on";
}

# All of one user.
my $w = Weir::Test->new('a worker can kill the store of its own user, and nothing is lost')->needs_weir;
$w->allow_log(qr/exited on signal 9/);
my $bin = $w->{bin};
$w->write_file('as-nobody', "#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups $bin \"\$@\"\n");
chmod 0755, $w->dir . '/as-nobody';
$w->conf($text, main => "store_path store;\nworker_rlimit_core 1m;\n", workers => 1);
system 'chown', '-R', '65534:65534', $w->dir;
$w->{bin} = $w->dir . '/as-nobody';
is $w->get('/?k=a')->status, 200, 'it serves';
is +($w->tool(qw(consumer add acme)))[0], 0, 'a consumer';
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)$/m;
my $store = $store_process->($w);
is $uid->($store), 65534, "the store's process is of the workers' user";
is $as_worker->($w, $store), 'a signal', 'who can send it signals, and no more';
kill 'KILL', $store;
is $w->get("/key?key=$key")->status, 200, 'keys are known';
is $w->get('/?k=a')->status, 200, 'and it is counted';
$w->wait_until('another one', sub { my $now = $store_process->($w); $now && $now != $store });
is +($w->tool(qw(consumer add other)))[0], 0, 'another one writes';
is +($w->tool(qw(consumer list)))[1] =~ s/^CONSUMER.*\n//r =~ s/ .*//gr, "acme\nother\n", 'to what the one before wrote';
is $w->get('/?k=a')->status, 200, 'the last of three';
is $w->get('/?k=a')->status, 429, 'nothing was forgotten';
done_testing;
