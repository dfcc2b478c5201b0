# docs/statistics.md names every metric of `prometheus;` and every key of `status;`, and no others.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w      = Weir::Test->new('statistics are documented')->needs_weir;
my $origin = $w->origin;
$w->write_file('servers.json', qq({"servers": [{"server": "$origin"}]}));
$w->conf(<<"END", main => "store_path store;\n");
http {
    limit_req_zone \$arg_k zone=rate:1m rate=9r/s;
    limit_conn_zone \$arg_k zone=conn:1m;
    quota_zone \$arg_k zone=month:1m per=month;
    upstream u { server $origin; outlier_detection; circuit_breaker errors=50%; max_requests 99; fallback v; retry_budget 20%; }
    upstream v { server $origin; sticky cookie c; }
    upstream x { server $origin; least_time header; }
    upstream y { server $origin; adaptive_concurrency; queue 9; }
    upstream w { servers_file $w->{dir}/servers.json; }
    api orders { version v1; }
    server {
        status_zone s;
        location / { status_zone l; api orders v1; limit_req zone=rate; limit_conn conn 9; quota zone=month limit=9; proxy_pass http://u; }
        location /canary { proxy_pass http://u weight=1; proxy_pass http://u/next weight=0; canary c http://u/next steps=1; }
        location /status { status; }
        location /metrics { prometheus; }
    }
}
END
$w->get('/?k=a');
open my $page, '<', 'docs/statistics.md' or die $!;
my ($prometheus, $json) = split /^JSON\n---/m, do { local $/; <$page> };

my %told;
for my $name ($w->get('/metrics')->body =~ /^# TYPE weir_(\S+)/mg) {
    my ($about, $metric) = $name =~ /^(?:(server|location|api|upstream|peer|limit|canary)_)?(\w+)$/;
    push $told{$metric}->@*, $about // 'process';
}
my %said = map { my ($metric, $about) = /^\| `(\w+)` \| \w+ \| ([^|]+) \|/; ($metric => [ split /, /, $about ]) } $prometheus =~ /^(\| `\w+` \|.*)$/mg;
is_deeply \%said, \%told, 'each metric, with what it is told about';

my $status = decode_json($w->get('/status')->body);
my @keys   = (keys %$status, map { ref $_ eq 'HASH' ? keys %$_ : () } $status->@{qw(connections ssl statistics)}, values $status->{upstreams}{u}{peers}->%*,
    $status->{server_zones}{s}, map { values %$_ } $status->@{qw(limit_reqs limit_conns quotas plan_limits canaries)});
my %is = map { $_ => 1 } @keys;
is_deeply [ grep { $json !~ /`$_`/ } sort keys %is ], [], 'each key';

done_testing;
