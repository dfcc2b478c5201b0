# Quotas and long rates go on over a reload, an upgrade, a stop and a kill; a restart forgives nobody.
use v5.36;
use lib 't/lib';
use Weir::Store;
use Weir::Test;

Weir::Store::not_at_the_end_of_a_month();
my $w      = Weir::Test->new('what was counted outlives reload, upgrade and restart')->needs_weir;
my $origin = $w->origin;
$w->conf(<<"END", main => "store_path store;\n", workers => 2)->workers_may_change->descriptors_may_stay;
    quota_zone \$arg_k zone=month:1m per=month;
    limit_req_zone \$arg_k zone=rate:1m rate=1r/m;
    server { location / { quota zone=month limit=50; proxy_pass http://$origin; }
             location /many { quota zone=month limit=50; stub_status; }
             location /rate { limit_req zone=rate burst=9 nodelay; proxy_pass http://$origin; } }
END
$w->start;
my $take = sub ($n) { my %is; $is{ $w->get('/?k=a')->status }++ for 1 .. $n; return \%is };
is_deeply $take->(10), { 200 => 10 }, 'ten';
is $w->get('/rate?k=a')->status, 200, 'and a burst' for 1 .. 10;
is $w->get('/rate?k=a')->status, 503, 'which is used up';
$w->reload;
is_deeply $take->(10), { 200 => 10 }, 'ten after a reload';
my ($code, $said) = $w->tool(qw(-s upgrade));
is $code, 0, "an upgrade: $said";
$w->wait_until('another master', sub { eval { $w->taken_over } });
is_deeply $take->(10), { 200 => 10 }, 'ten after it';
is $w->get('/rate?k=a')->status, 503, 'the burst is used up still';
is +($w->tool(qw(consumer add acme)))[0], 0, 'the new store process answers';
$w->stop;
is $w->exit_status, 0, 'a stop';
$w->start;
is_deeply $take->(10), { 200 => 10 }, 'ten after it';
is $w->get('/rate?k=a')->status, 503, 'the burst is used up still';
is $w->get('/rate?k=b')->status, 200, 'for others it is not';
is +($w->tool(qw(store flush)))[0], 0, 'written';
Weir::Store::kill_all($w);
$w->start;
is_deeply $take->(20), { 200 => 10, 429 => 10 }, 'the last ten after a kill';
is $w->get('/rate?k=a')->status, 503, 'the burst is used up still';
$w->stop;
$w->conf($w->{conf}{text} =~ s/zone=month:1m/zone=month:32k/r, main => "store_path store;\n", workers => 2);
$w->start;
is_deeply $take->(5), { 429 => 5 }, 'in a zone of another size too';
is +(grep { $w->get("/many?k=key-$_")->status == 200 } 1 .. 700), 700, 'keys: a third of what the zone has room for';
for (0 .. 2) {
    is +($w->tool(qw(store flush)))[0], 0, 'written';
    is +(grep { $w->get("/many?k=other-$_")->status == 200 } $_ * 700 + 1 .. $_ * 700 + 700), 700, 'and more';
}
my ($used) = ($w->tool(qw(zones)))[1] =~ /^quota +month .* moved_to_store=(\d+)/m;
ok $used > 0, "$used keys went to the store and left the zone";
is_deeply $take->(5), { 429 => 5 }, 'none is forgotten';

done_testing;
