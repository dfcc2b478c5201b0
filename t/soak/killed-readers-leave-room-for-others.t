# A worker that is killed leaves its place in LMDB's table of readers taken.  Many are, more than the table has places: the store's process
# gives them free again, every new worker reads, and what is written goes on.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $rounds  = 10;
my $workers = 64;                    # together more than the 600 places of the table
my $w       = Weir::Test->new('killed readers leave room for others')->needs_weir->workers_may_change;
$w->time_limit(150);
my $origin = $w->origin;
$w->conf(<<"END", main => "store_path store;\nstore_flush 50ms;\n", workers => $workers)->allow_log(qr/exited on signal 9/);
    server { location / { api_key \$http_x_api_key; proxy_pass http://$origin; } }
END
is +($w->tool(qw(consumer add acme)))[0], 0, 'a consumer';
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
$w->start;
my $killed = 0;
for my $round (1 .. $rounds) {
    my %before = map { $_ => 1 } $w->workers;
    $killed += kill 'KILL', keys %before;
    $w->wait_until('others serve', sub { my @now = $w->workers; @now == $workers && !grep { $before{$_} } @now });
    is +($w->tool('consumer', 'add', "c$round"))[0], 0, "it is written after $killed deaths";
}
cmp_ok $killed, '>', 600, 'more than the table has places';
my %status;
$status{ $w->get('/', 'X-API-Key' => $key)->status }++ for 1 .. 6 * $workers;
is_deeply [keys %status], [200], 'every worker reads';
unlike $w->error_log, qr/too many processes read the store/, 'none found the table full';

done_testing;
