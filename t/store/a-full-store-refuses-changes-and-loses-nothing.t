# The store is full, by its size or by the disk's: changes are refused with the reason, what is there is served, and with more room all goes on.
use v5.36;
use lib 't/lib';
use Weir::Store;
use Weir::Test;

Weir::Store::not_at_the_end_of_a_month();
my $fill = sub ($w, $room) {
    my $lines = join '', map { qq({"table":"consumers","name":"filler-$_","plan":"","disabled":false,"created":1}\n) } 1 .. $room / 150;
    $w->write_file('lines', $lines);
    my $file = $w->dir . '/said';
    my $pid = fork // die;
    if (!$pid) {
        open STDIN, '<', $w->dir . '/lines' or die;
        open STDERR, '>', $file or die;
        exec $w->bin, '-p', $w->dir . '/', '-c', 'conf/weir.conf', '-e', 'logs/error.log', qw(store load);
    }
    waitpid $pid, 0;
    return ($? >> 8, Weir::Server::slurp($file));
};
my $conf = sub ($w, $origin, $main) { $w->conf(<<"END", main => $main, workers => 2)->allow_log(qr/the store cannot be written/) };
    quota_zone \$arg_k zone=month:1m per=month;
    server { location / { quota zone=month limit=5; proxy_pass http://$origin; }
             location /key { api_key \$arg_key; proxy_pass http://$origin; } }
END

my $w      = Weir::Test->new('a full store refuses changes and loses nothing')->needs_weir;
my $origin = $w->origin;
$conf->($w, $origin, "store_path store;\nstore_size 1m;\n");
$w->start;
$w->tool(qw(consumer add acme));
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
is $w->get('/?k=a')->status, 200, 'counted while there is room';
my ($code, $said) = $fill->($w, 2 << 20);
is $code, 1, 'it is filled';
like $said, qr/the store is full: raise store_size/, 'which is told';
($code, $said) = (0, '');
for my $n (1 .. 400) {
    ($code, $said) = $w->tool('consumer', 'add', "more-$n");
    last if $code;
}
is $code, 1, 'another change is refused';
like $said, qr/the store is full: raise store_size/, 'with the reason';
is $w->get("/key?key=$key")->status, 200, 'keys are known';
is $w->get('/?k=a')->status, 200, 'quotas are counted' for 1 .. 4;
is $w->get('/?k=a')->status, 429, 'exactly';
is $w->get("/?k=new-$_")->status, 200, 'of new keys too' for 1 .. 3;
$w->{conf}{main} = "store_path store;\nstore_size 8m;\n";
Weir::Store::reload($w);
is +($w->tool(qw(consumer add more)))[0], 0, 'with more room changes are taken';
is +($w->tool(qw(store flush)))[0], 0, 'and counts are written';
is $w->get('/?k=a')->status, 429, 'which nobody forgot';
is $w->get("/key?key=$key")->status, 200, 'workers read the larger file';
Weir::Store::kill_all($w);
$w->workers_may_change->start;
is $w->get('/?k=a')->status, 429, 'after a kill too';
like +($w->tool(qw(consumer list)))[1], qr/^more /m, 'with what was acknowledged';

# What remains of the disk decides whether the write that fails does nothing or is cut short.
for my $size (map { 4 * $_ } 60 .. 68) {
    SKIP: {
        my $disk = Weir::Test->new("a disk of $size KiB is told to be full")->needs_weir;
        mkdir $disk->dir . '/store' or die;
        skip 'a disk of its own cannot be mounted here', 1
            if system('mount', '-t', 'tmpfs', '-o', "size=${size}k", 'tmpfs', $disk->dir . '/store') != 0;
        my $mounted = Weir::Store::Mounted->new($disk->dir . '/store');
        $conf->($disk, $origin, "store_path store;\n");
        $disk->start;
        $disk->tool(qw(consumer add acme));
        ($key) = ($disk->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
        ($code, $said) = $fill->($disk, 1 << 20);
        is $code, 1, 'a disk that is full';
        like $said, qr/No space left on device/, 'is told';
        is $disk->get("/key?key=$key")->status, 200, 'keys are known';
        is $disk->get('/?k=a')->status, 200, 'quotas are counted' for 1 .. 5;
        is $disk->get('/?k=a')->status, 429, 'exactly';
        is system('mount', '-o', 'remount,size=8m', $disk->dir . '/store'), 0, 'more room';
        is +($disk->tool(qw(consumer add more)))[0], 0, 'and changes are taken';
        is +($disk->tool(qw(store check)))[1], "0 faults\n", 'the store is whole';
        $disk->stop;
    }
}

done_testing;
