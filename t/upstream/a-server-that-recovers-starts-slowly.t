# slow_start: a server that has recovered gets hardly any of the requests at first, from all workers, also after a
# reload and from workers that are new; one that a reload adds starts slowly, and one that is there from the start has
# its share at once.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a server that recovers starts slowly')->needs_weir->workers_may_change;
my $sick = $w->origin(sub ($c) { $c->reply(-e $w->dir . '/sick' ? 503 : 200, 'was sick') });
my $good = $w->origin(sub ($c) { $c->reply(200, 'good') });
my $new  = $w->origin(sub ($c) { $c->reply(200, 'new') });
my $conf = sub ($servers) {
    return <<"END";
    upstream two { $servers }
    server { location / { proxy_pass http://two; proxy_next_upstream http_503 error; add_header X-Pid \$pid; } }
END
};
my $two = "server $sick slow_start=1h fail_timeout=1s; server $good;";
$w->allow_log(qr/upstream server temporarily disabled|worker process \d+ exited on signal 9/);
$w->conf($conf->($two), workers => 2);
my %pids;
my $shares = sub ($n) {
    my %seen = map { $_ => 0 } 'was sick', 'good', 'new';
    for (1 .. $n) {
        my $answer = $w->get('/');
        $pids{ $answer->header('X-Pid') } = 1;
        $seen{ $answer->body }++;
    }
    return \%seen;
};
my $seen = $shares->(40);
cmp_ok $seen->{'was sick'}, '>=', 19, 'a server that is there from the start has its share at once';

$w->write_file('sick', '');
$shares->(10);
is $shares->(20)->{'was sick'}, 0, 'it fails, and is left out';
unlink $w->dir . '/sick';
$w->wait_until('it has answered once more', sub { $shares->(1)->{'was sick'} });
%pids = ();
$seen = $shares->(100);
is scalar keys %pids, 2, 'both workers are asked';
cmp_ok $seen->{'was sick'}, '<=', 2, 'when it has recovered, each of them hardly ever asks it';
$w->reload($conf->("$two keepalive 3;"));
cmp_ok $shares->(50)->{'was sick'}, '<=', 2, 'nor after a reload that makes the group anew';

my @before = $w->workers;
kill KILL => $before[0];
$w->wait_until('another worker is there', sub { my @now = $w->workers; @now == 2 && !grep { $_ eq $before[0] } @now });
cmp_ok $shares->(50)->{'was sick'}, '<=', 2, 'nor when a worker is new';

$w->reload($conf->("$two server $new slow_start=1h;"));
$seen = $shares->(50);
cmp_ok $seen->{new}, '<=', 2, 'a server that a reload adds starts slowly';
cmp_ok $seen->{good}, '>=', 46, 'and the other has the rest';
done_testing;
