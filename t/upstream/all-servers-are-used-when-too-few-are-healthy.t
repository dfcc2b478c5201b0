use v5.36;
use lib 't/lib';
use Weir::Json;
use Weir::Test;

my $w    = Weir::Test->new('all servers are used when too few are healthy')->allow_log(qr{refused|temporarily disabled|all of them are used});
my $good = $w->origin(sub ($c) { $c->reply(200, 'good') });
my @dead = map { $w->refused_peer } 1 .. 3;
my $servers = join ' ', map { "server $_ fail_timeout=1h;" } $good->address, @dead;
$w->conf(<<"END", workers => 1);
    upstream calm  { $servers }
    upstream panic { panic 50%; $servers }
    server {
        add_header X-Asked \$upstream_addr;
        location /calm  { proxy_pass http://calm; }
        location /panic { proxy_pass http://panic; }
        location /status { status; }
        location /metrics { prometheus; }
    }
END

# The parts of 24 answers for which a server was asked in vain.
sub in_vain ($path) {
    my $n = 0;
    for (1 .. 24) {
        my $answer = $w->get($path);
        is $answer->status, 200, "$path is answered by the one that is there";
        $n++ if $answer->header('X-Asked') =~ /, /;
    }
    return $n;
}
in_vain($_) for '/calm', '/panic';            # now each of them has failed
is in_vain('/calm'), 0, 'who has failed is not asked again';
cmp_ok in_vain('/panic'), '>=', 12, 'but when less than half are healthy, all are asked';
$w->wait_for_log(qr/1 of 4 servers of upstream "panic", priority 0, are healthy: all of them are used \(panic\)/);
is Weir::Json::decode($w->get('/status')->body)->{upstreams}{panic}{panic}{sets}, 1, 'statistics say so';
like $w->get('/metrics')->body, qr/^weir_upstream_panic_sets\{upstream="panic"\} 1$/m, 'for Prometheus, too';
unlike $w->error_log, qr/upstream "calm".*panic/, 'and the log says so of that group only';
done_testing;
