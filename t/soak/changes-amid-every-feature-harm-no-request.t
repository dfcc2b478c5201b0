# Reloads that change each feature's words, reopened logs, an upgrade, and in the end killed workers, while limits, sticky sessions, health checks,
# breakers, outliers, consumers with keys, tokens with an issuer's keys, copies, a canary and buffered logs are in use: each answer is one that the
# feature may give, no connection is lost while no worker is killed, and afterwards all is as it was.
# WEIR_SOAK_SECONDS (15): how long, in thirds.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(time sleep);
use Weir::Jose;
use Weir::Test;

my $seconds = $ENV{WEIR_SOAK_SECONDS} // 15;
my $w       = Weir::Test->new('changes amid every feature harm no request')->needs_weir->workers_may_change->descriptors_may_stay;
$w->time_limit(4 * $seconds + 240);
my $jwt    = Weir::Jose->key($w, 'ES256', kid => 'a');
my $set    = Weir::Jose->set($jwt);
my $issuer = $w->origin(sub ($c) { $c->reply(200, $set, 'Cache-Control' => 'max-age=1', 'Content-Type' => 'application/json') });
my @origins = map { my $name = $_; $w->origin(sub ($c) { $c->reply($c->request->target =~ m{^/fail} ? 503 : 200, $name) }) } qw(a b c);
$w->allow_log(qr/exited on signal 9|upstream|no live|health|unhealthy|breaker|eject|\[crit\]/);

my $conf = sub ($n) {
    my $odd = $n % 2;
    my @s   = map { "server $origins[($_ + $n) % 3] max_fails=0 weight=@{[ 1 + ($_ + $n) % 3 ]};" } 0 .. 2;
    return <<"END";
http {
    log_format all '\$request_uri \$status \$request_id $n';
    access_log logs/all.log all buffer=32k flush=1s;
    limit_req_zone \$arg_k zone=rate:1m rate=1000r/s;
    limit_conn_zone \$arg_k zone=conn:1m;
    quota_zone \$arg_k zone=month:1m per=month;
    keepalive_requests 1000000;
    upstream plain    { @s keepalive @{[ 4 + $odd ]}; }
    upstream sticky   { @s sticky cookie sid@{[ $odd ? ' path=/' : '' ]}; }
    upstream checked  { @s zone checked 256k; health_check interval=@{[ 100 + 50 * $odd ]}ms uri=/health; }
    upstream broken   { @s circuit_breaker errors=@{[ 50 + 10 * $odd ]}% minimum=10 open=200ms half_open=2; }
    upstream outliers { @s outlier_detection consecutive_5xx=@{[ 3 + $odd ]} max_ejection=50%; }
    upstream hashed   { @s hash \$arg_k consistent; }
    upstream least    { @s least_conn; queue 100 timeout=5s; max_requests @{[ 50 + $n ]}; }
    server {
        location /plain    { proxy_pass http://plain; @{[ $odd ? 'proxy_set_header X-Odd 1;' : '' ]} }
        location /rate     { limit_req zone=rate burst=@{[ 100 + $n ]} nodelay; proxy_pass http://plain; }
        location /conn     { limit_conn conn @{[ 50 + $n ]}; proxy_pass http://plain; }
        location /quota    { quota zone=month limit=1000000; proxy_pass http://plain; }
        location /sticky   { proxy_pass http://sticky; }
        location /checked  { proxy_pass http://checked; }
        location /broken   { proxy_pass http://broken; }
        location /fail     { proxy_pass http://broken; }
        location /outliers { proxy_pass http://outliers; }
        location /hashed   { proxy_pass http://hashed; }
        location /least    { proxy_pass http://least; }
        location /key      { api_key \$http_x_api_key; proxy_pass http://plain; }
        location /jwt      { auth_jwt api; auth_jwt_key_request http://$issuer/keys; auth_jwt_key_refresh 300ms; proxy_pass http://plain; }
        location /mirror   { mirror /copy; proxy_pass http://plain; }
        location = /copy   { internal; proxy_pass http://hashed; }
        location /canary   { proxy_pass http://plain weight=1; proxy_pass http://hashed weight=0; canary c http://hashed steps=@{[ $odd ? '10,50' : '20,60' ]}; }
        location /here     { return 200 "$n"; }
        location /status   { status; }
        location /metrics  { prometheus; }
    }
    server { @{[ $odd ? 'listen 127.0.0.1:%%PORT_odd%%;' : 'listen 127.0.0.1:%%PORT_even%%;' ]} location / { return 204; } }
}
END
};
$w->conf($conf->(0), main => "store_path store;\n", workers => 2);
$w->start;
is +($w->tool('consumer', 'add', 'acme'))[0], 0, 'a consumer';
my ($key)  = ($w->tool('key', 'create', 'acme'))[1] =~ /^(weir_\S+)$/m or die "no key\n";
my $token = $jwt->token({ sub => 'alice', exp => time + 3600 });
my @paths = qw(plain rate conn quota sticky checked broken fail outliers hashed least key jwt mirror canary here status metrics);
my %may   = (fail => [ 503, 502 ], broken => [ 200, 503 ]);

# Kept connections; in the end how many answers there were, how many connections were lost, and each answer that may not be.
my $load = sub ($stop) {
    $w->child(sub {
        my ($n, $lost, %cookie, %wrong, %asked) = (0, 0);
        my @all = map { $w->client } 1 .. 8;
        until (-e $stop) {
            for my $c (@all) {
                my $path = $paths[ $n++ % @paths ];
                my $answer = eval {
                    $c->send_request('GET', "/$path?k=" . $n % 7, headers => [ 'X-API-Key', $key, 'Authorization', "Bearer $token",
                        $cookie{$path} ? ('Cookie', $cookie{$path}) : () ])->read_response;
                };
                my $why = $@;
                if ($answer) {
                    $asked{$path}++;
                    $wrong{"$path " . $answer->status . ' ' . substr $answer->body, 0, 60}++ unless grep { $_ == $answer->status } ($may{$path} // [ 200 ])->@*;
                    ($cookie{$path}) = $answer->header('Set-Cookie') =~ /^([^;]+)/ if $path eq 'sticky' && $answer->header('Set-Cookie');
                    next if $answer->is_kept;
                } else {
                    $lost++;
                    $wrong{"$path: $why"}++ if $why =~ /deadline|ambiguous/;
                }
                $c->close;
                pop $w->{clients}->@*;
                $c = eval { $w->client } // do { sleep 0.05; $w->client };
            }
        }
        print STDERR "answers $n lost $lost\n", map({ s/\n/ /gr . "\n" } map { "wrong $wrong{$_} times: $_" } sort keys %wrong),
            map { "none for $_\n" } grep { !$asked{$_} } @paths;
    });
};
my $n = 0;
my $during = sub ($what, $change, %arg) {
    my $stop  = $w->dir . "/barrier.$what";
    my @load  = map { $load->($stop) } 1 .. 2;
    my $until = time + $seconds / 3;
    my $times = 0;
    while (time < $until) { $change->($times++) }
    $w->pass($what);
    for my $loader (@load) {
        my (undef, $said) = $loader->(60);
        my ($answers, $lost) = $said =~ /^answers (\d+) lost (\d+)$/m;
        ok $answers, "$what, $times times: $answers answers" or diag $said;
        unlike $said, qr/^(?:wrong|none)/m, 'each is one that its feature may give';
        $arg{loses} ? cmp_ok($lost, '<=', 8 * $times * 2, "at most those of killed workers were lost: $lost") : is $lost, 0, 'no connection was lost';
    }
};
$during->('reloads', sub ($i) {
    $w->reload($conf->(++$n));
    $w->signal('USR1') if $i % 3 == 0;
    my ($code, $said) = $w->tool('upstream', 'plain', $i % 2 ? ('drain', "$origins[0]") : ('set', "$origins[0]", 'up'));
    is $code, 0, "a server is drained and taken back beside, $i" or diag $said;
    sleep 0.1;
});
$during->('upgrades', sub ($i) {
    my ($code, $said) = $w->tool(qw(-s upgrade));
    is $code, 0, "upgrade $i" or diag $said;
    $w->wait_until('another master', sub { eval { $w->taken_over } });
    $w->wait_until('the one before has gone', sub { !-e $w->dir . '/logs/weir.pid.oldbin' });
    $w->reload($conf->(++$n));
});
$during->('kills', sub ($i) {
    my @workers = $w->workers;
    kill KILL => $workers[ $i % @workers ] if @workers;
    $w->wait_until('a successor', sub { $w->workers == 2 });
    $w->reload($conf->(++$n));
    sleep 0.3;
}, loses => 1);

is $w->get('/here')->body, $n, 'it serves the last configuration';
my $status = sub { decode_json($w->get('/status')->body) };
$w->wait_until('each worker has one configuration', sub { my @of = $status->()->{workers}->@*; @of == 2 && !grep { $_->{generations} != 1 } @of });
my $is = $status->();
is $is->{requests}{current}, 1, 'no request is under way but this one';
is $is->{limit_conns}{conn}{rejected}, 0, 'no limit was reached';
is $is->{limit_reqs}{rate}{rejected}, 0, 'of either kind';
is +($w->tool('key', 'create', 'acme'))[0], 0, 'the store writes';

done_testing;
