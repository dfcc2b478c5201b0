# What somebody can do who has taken over a worker, beside the store (t/store): with the worker's own user, groups, capabilities and no_new_privs.
# It may serve and speak to peers; it becomes nobody else, reaches no other process's memory, no file of the operator's, and nothing of the kernel's.
use v5.36;
use lib 't/lib';
use Fcntl qw(O_RDONLY O_RDWR O_WRONLY O_CREAT O_APPEND);
use Socket;
use Weir::Pki;
use Weir::Test;

plan skip_all => 'root alone can keep users apart' if $> != 0;
needs('setpriv');
my $w    = Weir::Test->new('a compromised worker can do little')->needs_weir;
my $site = Weir::Pki->authority($w, 'root')->server('localhost');
chmod 0600, $site->key_file;
$w->conf(<<"END", workers => 2, main => 'worker_rlimit_core 0;');
    server { listen 127.0.0.1:%%PORT%%; location / { empty_gif; } }
    server { listen 127.0.0.1:%%PORT_tls%% ssl; @{[ $site->conf ]} location / { empty_gif; } }
END
is $w->get('/')->status, 200, 'it serves';
my ($master, $worker, $other) = ($w->pid, $w->workers);
my $of = sub ($pid, $what) { (Weir::Server::slurp("/proc/$pid/status") =~ /^$what:\s+(.*)$/m)[0] };

# What it is.
for my $pid ($worker, $other) {
    unlike $of->($pid, 'Uid'), qr/\b0\b/, 'a worker is not root';
    unlike $of->($pid, 'Gid'), qr/\b0\b/, 'nor of its group';
    is $of->($pid, $_), '0' x 16, "it has no capability: $_" for qw(CapInh CapPrm CapEff CapAmb);
    is $of->($pid, 'NoNewPrivs'), 1, 'and gets none by a program';
    SKIP: {
        skip 'a sanitizer looks at its process', 1 if $w->is_sanitized;
        is((stat "/proc/$pid/mem")[4], 0, 'its memory is root\'s to see');
    }
}

# What it can do: the same calls by a process with all that the worker is and has.
my $script = $w->write_file('attack.pl', <<'END');
use v5.36;
use Fcntl qw(:DEFAULT);
use Socket;
my ($dir, $key, $master, $worker, $other, $sanitized) = @ARGV;
my %sys = (ptrace => 101, mount => 165, bpf => 321, keyctl_set => 250, perf => 298, init_module => 175, kexec => 246, reboot => 169, swapon => 167,
    settime => 227, sethostname => 170, chroot => 161, iopl => 172, unshare_pid => 272, process_vm_writev => 311, setns => 308, mknod => 133);
my $call = sub ($name, @args) { syscall($sys{$name}, @args) >= 0 };
my %try = (
    'becomes root' => sub { $> = 0; $< = 0; $> == 0 },
    'becomes root by a program' => sub { my $id = `su -c 'id -u' 2>/dev/null </dev/null` // ''; $id =~ /^0/ },
    'is in root\'s group' => sub { $) = '0 0'; (split ' ', $))[0] == 0 },
    'signals the master' => sub { kill 0, $master },
    'stops the master' => sub { kill 'STOP', $master },
    'traces the master' => sub { $call->('ptrace', 16, $master + 0, 0, 0) },
    'reads the master\'s memory' => sub { sysopen my $f, "/proc/$master/mem", O_RDONLY },
    'reads the master\'s environment' => sub { open my $f, '<', "/proc/$master/environ" or return; defined readline $f },
    'takes the master\'s files' => sub { opendir my $d, "/proc/$master/fd" },
    $sanitized ? () : (
        'traces another worker' => sub { $call->('ptrace', 16, $other + 0, 0, 0) },
        'reads another worker\'s memory' => sub { sysopen my $f, "/proc/$other/mem", O_RDONLY },
        'takes another worker\'s files' => sub { opendir my $d, "/proc/$other/fd" }),
    'reads a key' => sub { sysopen my $f, $key, O_RDONLY },
    'writes the configuration' => sub { sysopen my $f, "$dir/conf/weir.conf", O_WRONLY | O_APPEND },
    'adds to the configuration' => sub { sysopen my $f, "$dir/conf/more.conf", O_WRONLY | O_CREAT },
    'replaces the configuration' => sub { rename "$dir/conf/weir.conf", "$dir/conf/old.conf" },
    'writes the pid file' => sub { my ($f) = glob "$dir/*/*.pid"; sysopen my $h, $f // "$dir/logs/weir.pid", O_WRONLY },
    'replaces a log' => sub { rename "$dir/logs/error.log", "$dir/logs/old" },
    'has a raw socket' => sub { socket my $s, PF_INET, SOCK_RAW, 1 },
    'has a packet socket' => sub { socket my $s, 17, SOCK_RAW, 0x0300 },
    'mounts' => sub { my ($what, $where, $type) = ('none', '/tmp', 'tmpfs'); $call->('mount', $what, $where, $type, 0, 0) },
    'changes its root' => sub { my $to = '/tmp'; $call->('chroot', $to) },
    'makes a device' => sub { my $name = "$dir/device"; $call->('mknod', $name, 0020666, 0x0101) },
    'loads a module' => sub { my ($image, $options) = ("\0" x 64, ''); $call->('init_module', $image, 64, $options) },
    'sets the clock' => sub { my $time = pack 'q2', time, 0; $call->('settime', 0, $time) },
    'sets the host\'s name' => sub { my $name = 'evil'; $call->('sethostname', $name, 4) },
    'has the ports of the machine' => sub { $call->('iopl', 3) },
    'swaps' => sub { my $on = '/dev/null'; $call->('swapon', $on, 0) },
    'enters another\'s namespace' => sub { open my $f, '<', "/proc/$master/ns/mnt" or return; $call->('setns', fileno $f, 0) },
);
say join "\n", sort grep { my $can = eval { $try{$_}->() }; kill 'CONT', $master; $can } keys %try;
END
my ($uid, $gid) = map { (split /\t/, $of->($worker, $_))[0] } qw(Uid Gid);
my @as = ('setpriv', '--reuid', $uid, '--regid', $gid, '--groups', join(',', split ' ', $of->($worker, 'Groups')) || $gid, '--no-new-privs', '--bounding-set', '-all', '--inh-caps', '-all');
my ($code, $can) = $w->command(30, @as, $^X, $w->dir . '/attack.pl', $w->dir, $site->key_file, $master, $worker, $other, $w->is_sanitized ? 1 : 0);
is $code, 0, 'it tried' or diag $can;
is $can, "\n", 'and can do nothing of it';

# It can end its own kind: that costs a start and no more.
my $before = $w->get('/')->status;
system @as, 'sh', '-c', "kill -KILL $other";
$w->workers_may_change->allow_log(qr/exited on signal 9/);
$w->wait_until('there are two again', sub { my @now = $w->workers; @now == 2 && !grep { $_ == $other } @now });
is $w->get('/')->status, 200, 'another worker is in its place';
is $w->pid, $master, 'under the same master';
# The worker itself, made to call kill(): from Linux 6.12 on it reaches neither the other worker nor the master.
SKIP: {
    skip 'no gdb, an old kernel, or a sanitizer', 2
        if $w->is_sanitized || syscall(444, 0, 0, 1) < 6 || !grep { -x "$_/gdb" } split /:/, $ENV{PATH};
    my $call = join ' ', map { "-ex 'print \"it said\", ((int(*)(int,int))kill)($_,0)'" } $other, $worker;
    my ($ended, $said) = $w->command(60, 'sh', '-c', "gdb -nx -batch -p $worker $call 2>&1 </dev/null");
    my @said = $said =~ /^\$\d+ = (-?\d+)$/mg;
    skip "gdb does not: $said", 2 unless @said == 2;
    is $said[0], -1, 'the other worker cannot be signalled';
    is $said[1], 0, 'itself it can';
}

done_testing;
