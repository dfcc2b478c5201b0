# quota: a key uses so much in a period of the calendar, over all workers exactly; the plan of a consumer says how much; what one quota
# refuses costs nothing in another.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Store;
use Weir::Test;

my $w      = Weir::Test->new('a quota is exact over workers')->needs_weir;
my $origin = $w->origin;
Weir::Store::not_at_the_end_of_a_month();
$w->conf(<<"END", main => "store_path store;\n", workers => 4)->workers_may_change->allow_log(qr/exited on signal 9/);
http {
    quota_zone \$arg_k zone=month:1m per=month;
    quota_zone \$arg_k zone=other:1m per=month;
    quota_zone \$consumer zone=plan:64k per=month;
    log_format main "\$request_uri \$status \$quota_status \$weir_cause";
    access_log logs/access.log main;
    server {
        location / { quota zone=month limit=100; quota_headers on; proxy_pass http://$origin; }
        location /both { quota zone=month limit=40; quota zone=other limit=10; proxy_pass http://$origin; }
        location /plan { api_key \$http_x_api_key; quota zone=plan limit=\$consumer_quota_month; proxy_pass http://$origin; }
        location /dry { quota zone=other limit=1; quota_dry_run on; proxy_pass http://$origin; }
        location /status { quota zone=other limit=0; quota_status 509; proxy_pass http://$origin; }
        location /statistics { status; }
        location /nonsense { quota zone=other limit=\$arg_limit; proxy_pass http://$origin; }
    }
}
END
$w->start;

# Each request on a connection of its own: the kernel spreads them over the workers.
my $all = sub ($n, $target, @headers) {
    my @clients = map { $w->client->send_request('GET', $target, headers => \@headers) } 1 .. $n;
    my %is;
    $is{ $_->read_response->status }++ for @clients;
    $_->close for @clients;
    return \%is;
};
is_deeply $all->(250, '/?k=a'), { 200 => 100, 429 => 150 }, 'of 250 over four workers exactly 100';
is_deeply $all->(40, '/?k=b'), { 200 => 40 }, 'forty of another key';
is_deeply $all->(3, '/'), { 200 => 3 }, 'without a key nothing is counted';
my $quotas = decode_json($w->get('/statistics')->body)->{quotas};
is $quotas->{month}{passed} . ' ' . $quotas->{month}{rejected}, '140 150', 'the status page has what a quota did';
is_deeply $all->(30, '/both?k=c'), { 200 => 10, 429 => 20 }, 'of two quotas the smaller counts';
is_deeply $all->(40, '/?k=c'), { 200 => 40 }, 'and what it refused';
is_deeply $all->(60, '/?k=c'), { 200 => 50, 429 => 10 }, 'cost nothing in the larger';

my $answer = $w->get('/?k=h');
like $answer->header('RateLimit-Policy'), qr/^"month";q=100;w=(?:2419200|2505600|2592000|2678400)$/, 'the client is told of the month';
my ($rest) = $answer->header('RateLimit') =~ /^"month";r=99;t=(\d+)$/;
ok $rest > 0 && $rest <= 31 * 86400, 'of what is left until its end';
is $answer->header('Retry-After'), undef, 'and not to wait';
$answer = $w->get('/?k=a');
is $answer->status, 429, 'when it is used up';
ok abs($answer->header('Retry-After') - $rest) <= 60, 'it is told to come back in the next month';
is $w->get('/dry?k=d')->status, 200, 'a rehearsal' for 1 .. 3;
$w->wait_for_access(qr{^/dry\?k=d 200 REJECTED_DRY_RUN -$}m);
is $w->get('/status?k=e')->status, 509, 'another status';
$w->wait_for_access(qr{^/status\?k=e 509 REJECTED limit\.quota$}m);
is $w->get('/nonsense?k=f&limit=many')->status, 429, 'a limit that is no number allows nothing';
is $w->get('/nonsense?k=f&limit=')->status, 200, 'an empty one is no limit';
is $w->get('/nonsense?k=f&limit=1')->status, 200, 'one is one';
is $w->get('/nonsense?k=f&limit=1')->status, 429, 'and no more';

$w->tool(qw(plan add small month=5));
$w->tool(qw(consumer add acme plan=small));
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
is_deeply $all->(8, '/plan', 'X-API-Key', $key), { 200 => 5, 429 => 3 }, 'a plan says how much';
$w->tool(qw(plan set small month=7));
is_deeply $all->(8, '/plan', 'X-API-Key', $key), { 200 => 2, 429 => 6 }, 'a larger plan counts on from there';
$w->tool(qw(consumer set acme plan=));
is_deeply $all->(4, '/plan', 'X-API-Key', $key), { 200 => 4 }, 'without a plan there is no limit';
is_deeply $all->(2, '/plan'), { 401 => 2 }, 'who is not known is refused before anything is counted';

kill 'KILL', $_ for $w->workers;
$w->wait_until('other workers serve', sub { eval { $w->get('/dry?k=')->status == 200 } });
is_deeply $all->(70, '/?k=b'), { 200 => 60, 429 => 10 }, 'workers that were killed forget nothing';
is +($w->tool(qw(store flush)))[0], 0, 'what was counted is written';
$w->reload($w->{conf}{text} =~ s/zone=month:1m/zone=month:2m/r);
is_deeply $all->(3, '/?k=b'), { 429 => 3 }, 'a zone of another size finds it in the store';
like +($w->tool('zones'))[1], qr/^quota\s+month\s+2097152\s+keys=1 room=\d+ moved_to_store=0$/m, 'zones can be looked at';

for my $case ([qr/must have per=hour, per=day or per=month/, 'quota_zone $arg_k zone=z:1m timezone=UTC;'],
    [qr/invalid.*"per=week"/, 'quota_zone $arg_k zone=z:1m per=week;'],
    [qr/time zone "Mars\/Base" is not there/, 'quota_zone $arg_k zone=z:1m per=day timezone=Mars/Base;'],
    [qr/invalid.*"timezone=\.\.\/passwd"/, 'quota_zone $arg_k zone=z:1m per=day timezone=../passwd;'],
    [qr/there is no zone "z"/, 'server { quota zone=z limit=1; }'],
    [qr/invalid.*"limit=-1"/, 'quota_zone $arg_k zone=z:1m per=day; server { quota zone=z limit=-1; }'],
    [qr/must have "zone=name" and "limit=number"/, 'quota_zone $arg_k zone=z:1m per=day; server { quota zone=z zone=z; }'],
    [qr/duplicate "quota"/, 'quota_zone $arg_k zone=z:1m per=day; server { quota zone=z limit=1; quota zone=z limit=1; }']) {
    my ($complaint, $text) = @$case;
    my $wrong = Weir::Test->new('what is wrong')->allow_log(qr{\[emerg\]});
    my ($code, $said) = $wrong->check_conf("$text server { return 200; }", main => "store_path store;\n");
    is $code, 1, "refused: $text";
    like $said, $complaint, 'and told why';
}
my $without = Weir::Test->new('without a store')->allow_log(qr{\[emerg\]});
like +($without->check_conf('quota_zone $arg_k zone=z:1m per=day; server { return 200; }'))[1], qr/"quota_zone" needs "store_path"/, 'a quota needs a store';

done_testing;
