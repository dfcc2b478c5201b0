# What somebody can do who has taken over a worker: read.  Not write the store's files, not put others in their place, not ask for changes.
use v5.36;
use lib 't/lib';
use Fcntl qw(O_RDONLY O_RDWR O_CREAT O_WRONLY);
use IO::Socket::UNIX;
use Weir::Test;

plan skip_all => 'root alone can keep users apart' if $> != 0;

# The file system's answer to somebody with the worker's user and groups: those of what may be done.
sub as_worker ($worker, $store) {
    my %ids = Weir::Server::slurp("/proc/$worker/status") =~ /^(Uid|Gid|Groups):\t(.*)$/mg;
    my ($uid, $gid) = map { (split /\t/, $ids{$_})[0] } qw(Uid Gid);
    my @groups = split ' ', $ids{Groups};
    pipe my $read, my $write or die;
    my $pid = fork // die;
    if (!$pid) {
        $) = join ' ', $gid, $gid, @groups;
        $( = $gid;
        $< = $> = $uid;
        local $SIG{PIPE} = 'IGNORE';
        my %try = (
            'read the data' => sub { sysopen my $f, "$store/weir.mdb", O_RDONLY },
            'write the data' => sub { sysopen my $f, "$store/weir.mdb", O_RDWR },
            'read the lock of LMDB' => sub { sysopen my $f, "$store/weir.mdb-lock", O_RDONLY },
            'write the lock' => sub { sysopen my $f, "$store/lock", O_WRONLY },
            'read the seeds' => sub { sysopen my $f, "$store/seeds", O_RDONLY },
            'add a file' => sub { sysopen my $f, "$store/another", O_WRONLY | O_CREAT },
            'replace the data' => sub { rename "$store/weir.mdb", "$store/old" },
            'remove the data' => sub { unlink "$store/weir.mdb" },
            'remove the socket' => sub { unlink "$store/socket" },
            'rename the folder' => sub { rename $store, "$store.old" },
            'change the mode' => sub { chmod 0666, "$store/weir.mdb" },
            'change the consumers' => sub {
                my $s = IO::Socket::UNIX->new(Peer => "$store/socket") or return;
                $s->timeout(5);
                print $s qq({"do":"consumer.add","name":"evil"}\n);
                return defined readline $s;
            },
        );
        syswrite $write, join ', ', grep { $try{$_}->() } sort keys %try;
        POSIX::_exit(0);
    }
    close $write;
    my $may = do { local $/; readline $read };
    waitpid $pid, 0;
    return $may;
}

sub store_process ($w) { (grep { Weir::Server::slurp("/proc/$_/cmdline") =~ /store process/ } $w->{guard}->members($w->pid))[0] }
sub owner ($path) { (stat $path)[4] }

for my $user (undef, 'daemon') {
    my $named = $user // 'root';
    my $w     = Weir::Test->new('a worker can read the store but not write it')->needs_weir->allow_log(qr/asked to change the store and was refused/);
    $w->conf('http { server { location / { api_key $http_x_api_key; empty_gif; } } }', main => "store_path store;\n" . ($user ? "store_user $user;\n" : ''));
    my $store = $w->dir . '/store';
    is +($w->tool(qw(consumer add acme)))[0], 0, "$named: a consumer";
    my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)$/m;
    system 'chown', '-R', 'nobody', $store;        # as it was before store_user was there
    chmod 0700, $store;
    is $w->get('/', 'X-API-Key', $key)->status, 200, "$named: a worker reads";
    my ($worker) = $w->workers;
    is as_worker($worker, $store), 'read the data', "$named: a worker can do nothing else";
    is owner("$store/$_"), (getpwnam $named)[2], "$named: the owner of $_" for '.', qw(weir.mdb weir.mdb-lock lock seeds socket);
    chmod 0777, "$store/socket";
    is as_worker($worker, $store), 'read the data', "$named: nor when the socket lets it in";
    like $w->error_log, qr/asked to change the store and was refused: it has no right to/, "$named: which is told";
    is +($w->tool(qw(consumer add other)))[0], 0, "$named: root may ask";
    is +($w->tool(qw(consumer list)))[1] =~ s/^CONSUMER.*\n//r =~ s/ .*//gr, "acme\nother\n", "$named: these are all";
    my $process = store_process($w);
    my ($uid)   = Weir::Server::slurp("/proc/$process/status") =~ /^Uid:\t(\d+)/m;
    isnt $uid, 0, "$named: the store's process is not root";
    is $uid, (getpwnam 'daemon')[2], 'but who was named' if $user;
    my ($new) = ($w->tool(qw(key create other)))[1] =~ /^(weir_\S+)$/m;
    is $w->get('/', 'X-API-Key', $new)->status, 200, "$named: a worker sees what came later";
    $w->reload;
    is as_worker($worker, $store), 'read the data', "$named: after a reload";
    is $w->get('/', 'X-API-Key', $key)->status, 200, "$named: a worker reads on";
}

my $w = Weir::Test->new('what lies there already is looked at')->needs_weir->allow_log(qr/\[emerg\]/);
$w->conf('http { server { location / { return 200 ok; } } }', main => "store_path store;\n");
my $store = $w->dir . '/store';
mkdir $store, 0700;
$w->write_file('victim', 'x' x 4096);
my $before = owner($w->dir . '/victim') . ' ' . ((stat $w->dir . '/victim')[2] & 0777);
for my $make (sub { symlink $w->dir . '/victim', $_[0] }, sub { link $w->dir . '/victim', $_[0] }) {
    chown 65534, 65534, $store;
    $make->("$store/weir.mdb");
    my ($code, $said) = $w->tool('-t');
    isnt $code, 0, 'a link is refused';
    like $said, qr/link or no plain file/, 'and told';
    is owner($w->dir . '/victim') . ' ' . ((stat $w->dir . '/victim')[2] & 0777), $before, 'what it leads to is as it was';
    unlink "$store/weir.mdb";
}
my ($code, $said) = $w->check_conf('', main => "user nobody nogroup;\nstore_path store;\nstore_user nobody nogroup;\n");
is $code, 1, "the workers' own user is refused";
like $said, qr/"store_user" must be another/, 'and told';
done_testing;
