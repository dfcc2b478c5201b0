# Workers do not outlive their master by more than a second, with whatever connections they have.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes;
use Weir::Test;

my $w = Weir::Test->new('workers go when the master is killed')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->wait_for('never') if $c->request->target eq '/slow'; $c->reply(200, 'ok') });
$w->conf("server { location / { proxy_pass http://$origin; } }")->may_end_with(9);
$w->start;
my @workers = $w->workers;
my $slow    = $w->client->send_request('GET', '/slow');
$w->wait_until('a request is in a worker', sub { $origin->requests > 0 });

my $start = Time::HiRes::time();
$w->signal('KILL');
# A process that has ended stays in /proc until whoever inherited it looks at it: that is not Weir's time.
my $lives = sub ($pid) { Weir::Server::slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) [^ZX] /s };
$w->wait_until('the workers have gone', sub { !grep { $lives->($_) } @workers });
my $took = Time::HiRes::time() - $start;
ok $took < 3, 'the workers went';      # 1 s of theirs, and what a loaded machine adds
is $w->wait_exit, 9, 'the master was killed';
like $w->error_log, qr/the master process has gone/, 'they say why';

unlink $w->dir . '/logs/weir.pid';
$w->start;
is $w->get('/')->status, 200, 'a new master takes the addresses at once';
$w->may_end_with(0);
$w->pass('never');
done_testing;
