# A reload may name logs where only root can write: the master opens them and workers that run already use them.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w = Weir::Test->new('logs of a new configuration are handed to workers')->needs_weir;
$w->conf("server { location / { return 200 'ok'; } }");
$w->start;
my @before  = $w->workers;
my $private = $w->dir . '/private';
mkdir $private, 0700 or die;

$w->descriptors_may_stay;
$w->reload("access_log %%DIR%%/private/access.log; server { location / { return 200 'ok'; } }",
    main => 'error_log %%DIR%%/private/error.log info;');
is $w->get('/new')->status, 200, 'a request is answered';
$w->wait_until('it is in the new access log', sub { Weir::Server::slurp("$private/access.log") =~ m{GET /new} });
is_deeply [ $w->workers ], \@before, 'by the workers that were there';
ok -e "$private/error.log", 'the new error log is there';
for my $pid ($w->pid, @before) {
    next unless opendir my $may_look, "/proc/$pid/fd";      # into workers only as root
    my @open = map { $_->[1] // () } $w->_fds($pid);
    ok +(grep { $_ eq "$private/error.log" } @open), "process $pid has it open";
    ok !(grep { $_ eq $w->dir . '/logs/error.log' } @open), 'and not the old one';
}
done_testing;
