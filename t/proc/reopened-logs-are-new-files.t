# USR1: master and workers write to new files of the old names, which belong to the workers' user.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w = Weir::Test->new('reopened logs are new files')->needs_weir;
$w->conf("access_log logs/access.log; server { location / { return 200 'ok'; } }");
is $w->get('/before')->status, 200, 'a request before';
$w->wait_for_access(qr{GET /before});

my $logs = $w->dir . '/logs';
rename "$logs/$_.log", "$logs/$_.old" or die for 'error', 'access';
$w->signal('USR1');
$w->wait_until('both files are there again', sub { -e "$logs/error.log" && -e "$logs/access.log" });
my @workers = $w->workers;
$w->wait_until('each worker has done so', sub {
    my $all = Weir::Server::slurp("$logs/error.old") . $w->error_log;
    !grep { $all !~ /$_#\d+: reopening logs/ } @workers;
});
is $w->get('/after')->status, 200, 'a request after';
$w->wait_for_access(qr{GET /after});
unlike Weir::Server::slurp("$logs/access.old"), qr{GET /after}, 'is in the new file only';

for my $pid ($w->pid, @workers) {
    is_deeply [ grep { ($_->[1] // '') =~ /\.old/ } $w->_fds($pid) ], [], "process $pid has no old file open";
}
if ($> == 0) {
    is +(stat "$logs/access.log")[4], scalar getpwnam('nobody'), 'the new file is the workers\'';
}
done_testing;
