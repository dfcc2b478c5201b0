# The same numbers, as JSON, as Prometheus reads them, and as nginx's short page: per process, server, location, upstream, peer, limit.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w      = Weir::Test->new('statistics count requests answers and failures');
my $origin = $w->origin(sub ($c) { my ($status) = $c->request->target =~ /(\d+)$/; $c->wait_for('end') if $c->request->target =~ /wait/; $c->reply($status // 200, 'x' x 1000) });
my $dead   = $w->refused_peer;
$w->conf(<<"END", workers => 2, control => 0);
    limit_req_zone \$arg_k zone=rate:1m rate=1r/m;
    limit_conn_zone \$arg_k zone=conn:1m;
    upstream two { server $dead max_fails=0; server $origin; }
    server {
        status_zone "the \\"main\\" one";
        location / { status_zone pages; proxy_pass http://two; }
        location /limited { limit_req zone=rate; limit_conn conn 9; proxy_pass http://$origin/; }
        location /gone { return 410; }
    }
    server {
        listen 127.0.0.1:%%PORT_look%%;
        location /status { status; }
        location /metrics { prometheus; }
        location /stub { stub_status; }
        location /vars { return 200 "\$connections_active \$connections_reading \$connections_writing \$connections_waiting"; }
    }
END
my $look   = $w->client(port => 'look');
my $status = sub { decode_json($look->get('/status')->body) };
my $metrics = sub {
    my %value;
    my $text = $look->get('/metrics')->body;
    for (split /\n/, $text) { /^(\S+(?:\{.*\})?) (\S+)$/ and $value{$1} = $2 unless /^#/ }
    return (\%value, $text);
};

is $w->get("/$_")->status, $_, "answered $_" for 200, 200, 404, 500;
is $w->get('/gone')->status, 410, 'by ourselves';
is $w->get('/limited/200?k=a')->status, 200, 'within a limit';
is $w->get('/limited/200?k=a')->status, 503, 'beyond it';
my $held = $w->client->send_request('GET', '/wait200');
$origin->wait_requests(6);
$w->wait_until('each is counted', sub { $status->()->{server_zones}{'the "main" one'}{requests} >= 7 });    # after its answer has left

my $all  = $status->();
my $main = $all->{server_zones}{'the "main" one'};
is $main->{requests}, 7, 'a server counts what it has answered';
is $main->{processing}, 1, 'and what is under way';
is_deeply $main->{responses}, { '1xx' => 0, '2xx' => 3, '3xx' => 0, '4xx' => 2, '5xx' => 2, total => 7, codes => { 200 => 3, 404 => 1, 410 => 1, 500 => 1, 503 => 1 } },
    'by status';
is_deeply $main->{causes}, { 'route.return' => 1, 'limit.rate' => 1 }, 'and by cause';
is $all->{location_zones}{pages}{requests}, 4, 'a location its own';
cmp_ok $all->{location_zones}{pages}{sent}, '>', 4000, 'with bytes';
my $peers = $all->{upstreams}{two}{peers};
is $peers->{"$origin"}{requests}, 4, 'a peer what it was asked';
is $peers->{"$dead"}{fails}, $peers->{"$dead"}{requests}, 'one that refuses fails each time';
cmp_ok $peers->{"$dead"}{fails}, '>=', 1, 'once at least';
is $peers->{"$dead"}{causes}{'upstream.connect.refused'}, $peers->{"$dead"}{fails}, 'with its cause';
is $all->{limit_reqs}{rate}{passed} . $all->{limit_reqs}{rate}{rejected}, '11', 'a limit what it did';
is $all->{limit_conns}{conn}{passed}, 1, 'of both kinds';
my $latency = $main->{latency_us};
ok $latency->{p50} > 0 && $latency->{p50} <= $latency->{p99} && $latency->{p99} <= $latency->{p9999}, 'latencies are told, and rise';
is $all->{requests}{current}, 2, 'the process counts what is under way, this one too';
cmp_ok $all->{connections}{active}, '>=', 2, 'and connections';

my ($value, $text) = $metrics->();
is $value->{'weir_server_requests_total{zone="the \"main\" one"}'}, 7, 'Prometheus: the same of the server';
is $value->{'weir_server_responses_total{zone="the \"main\" one",code="410"}'}, 1, 'by status';
is $value->{'weir_location_causes_total{zone="pages",cause="limit.rate"}'}, undef, 'nothing where nothing was';
is $value->{qq(weir_peer_requests_total{upstream="two",peer="$origin"})}, 4, 'of a peer';
is $value->{'weir_limit_requests_verdict_total{limit="req",zone="rate",verdict="rejected"}'}, 1, 'of a limit';
is $value->{'weir_server_request_duration_seconds_count{zone="the \"main\" one"}'}, 7, 'a histogram counts all';
is $value->{'weir_server_request_duration_seconds_bucket{zone="the \"main\" one",le="+Inf"}'}, 7, 'in its last bucket';
# The rules of the format: each metric once and together, of a type, its names and ends as they should be.
my (%type, %seen, $last, @wrong);
for my $line (split /\n/, $text) {
    if ($line =~ /^# TYPE (\S+) (\S+)$/) { push @wrong, "twice: $1" if $type{$1}; $type{ $last = $1 } = $2; next }
    next if $line =~ /^# HELP (\S+) \S/;
    my ($name, $labels) = $line =~ /^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\]|\\["\\n])*",?)*\})? [0-9.]+$/ or push(@wrong, "no sample: $line"), next;
    my $base = $type{$last} eq 'histogram' ? $name =~ s/_(?:bucket|sum|count)$//r : $name;
    push @wrong, "$name under $last" unless $base eq $last;
    push @wrong, "a counter without _total: $name" if $type{$last} eq 'counter' && $name !~ /_total$/;
    push @wrong, "twice: $line" if $seen{ $name . ($labels // '') }++;
}
is "@wrong", '', 'the text keeps to the format';
like $look->get('/metrics')->header('Content-Type'), qr{^text/plain; version=0\.0\.4}, 'and says which';

like $look->get('/stub')->body, qr/\AActive connections: \d+ \nserver accepts handled requests\n \d+ \d+ \d+ \nReading: \d+ Writing: 2 Waiting: \d+ \n\z/, "nginx's page";
like $look->get('/vars')->body, qr/^\d+ \d+ 2 \d+$/, 'and its variables';
is $look->send_request('POST', '/status', body => 'x')->read_response->status, 405, 'they are for reading';
$w->pass('end');
is $held->read_response->status, 200, 'the one under way ends';
$w->wait_until('it is counted', sub { $look = $w->client(port => 'look'); $status->()->{server_zones}{'the "main" one'}{processing} == 0 });
is $status->()->{server_zones}{'the "main" one'}{requests}, 8, 'and is one more';
is $w->client(port => 'look')->send_request('HEAD', '/status')->read_response(method => 'HEAD')->status, 200, 'HEAD';

done_testing;
