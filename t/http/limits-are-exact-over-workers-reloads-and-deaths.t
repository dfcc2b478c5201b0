# RL: what is counted is shared by all workers, kept over a reload, and right after workers were killed.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('limits are exact over workers, reloads and deaths');
my $origin = $w->origin(sub ($c) { my ($name) = $c->request->target =~ /wait=(\w+)/; $c->wait_for($name) if $name; $c->reply(200, 'ok') });
my $text   = sub ($mark) { <<"END" };
    limit_req_zone \$arg_k zone=rate:1m rate=1r/m;
    limit_conn_zone \$arg_k zone=conn:1m;
    server {
        location / { limit_req zone=rate burst=99 nodelay; proxy_pass http://$origin; }
        location /conn { limit_conn conn 5; proxy_pass http://$origin; }
        location /mark { return 200 $mark; }
    }
END
$w->conf($text->(1), workers => 4)->workers_may_change->allow_log(qr/exited on signal 9/);
$w->start;

# Each request on a connection of its own: the kernel spreads them over the workers.
my $all = sub ($n, $target) {
    my @clients = map { $w->client->send_request('GET', $target) } 1 .. $n;
    my %is;
    $is{ $_->read_response->status }++ for @clients;
    $_->close for @clients;
    return \%is;
};
is_deeply $all->(300, '/?k=a'), { 200 => 100, 503 => 200 }, 'of 300 at once over four workers exactly one and a burst of 99';
is_deeply $all->(60, '/?k=b'), { 200 => 60 }, 'sixty of another';
$w->reload($text->(2));
is $w->get('/mark')->body, 2, 'another configuration';
is_deeply $all->(60, '/?k=b'), { 200 => 40, 503 => 20 }, 'over a reload it is counted on';

my @held = map { my $n = $origin->requests; my $c = $w->client->send_request('GET', '/conn?k=c&wait=end'); $origin->wait_requests($n + 1); $c } 1 .. 5;
is_deeply $all->(20, '/conn?k=c'), { 503 => 20 }, 'five under way, whichever worker has them: no more';
my @before = $w->workers;
kill 'KILL', $_ for @before;
$w->wait_until('other workers', sub { my @now = $w->workers; my %old = map { $_ => 1 } @before; @now == 4 && !grep { $old{$_} } @now });
$w->wait_until('they serve', sub { eval { $w->get('/mark')->status } });
$w->pass('end');
my %is;
$is{ $w->get('/conn?k=c')->status }++ for 1 .. 10;
is_deeply \%is, { 200 => 10 }, 'when their workers are killed they hold nothing';
is_deeply $all->(5, '/?k=b'), { 503 => 5 }, 'and what came is not forgotten';
$_->close for @held;

# Another size begins anew; a name that changed its kind is another zone.
my $larger = $text->(3) =~ s/zone=rate:1m/zone=rate:2m/r;
$w->reload($larger);
is_deeply $all->(60, '/?k=b'), { 200 => 60 }, 'a zone of another size begins anew';

done_testing;
