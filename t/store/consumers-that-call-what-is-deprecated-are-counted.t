# weir consumer calls: for each consumer and deprecated place how often it was called, by all workers, over reload and a worker's death.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w      = Weir::Test->new('consumers that call what is deprecated are counted')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
my $new    = sub (@words) { my ($code, $said) = $w->tool('key', 'create', @words); die $said if $code; $said =~ /^(weir_\S+)$/m; $1 };
my $now    = time;
my $iso    = sub ($seconds) { my @t = gmtime $seconds; sprintf '%d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ] };
my $conf   = sub ($more) { <<"END" };
http {
    server {
        server_name api.example.com;
        route old { match path_prefix=/old; deprecated since=2024-01-01; api_key \$http_x_api_key; api_key_optional on; proxy_pass http://$origin; }
        location /older { deprecated since=2023-01-01; proxy_pass http://$origin; }
        location /out { deprecated since=2023-01-01; brownout from=@{[ $iso->($now - 60) ]} for=1h; proxy_pass http://$origin; }
        location /moved { deprecated since=2023-01-01; try_files /nothing /older; }
        location /new { proxy_pass http://$origin; }
        $more
    }
}
END
$w->allow_log(qr/deprecated\.brownout|auth\.key|exited on signal|worker process/);
$w->conf($conf->(''), main => "store_path store;\n", workers => 2);
$w->tool('consumer', 'add', $_) for 'acme', 'bolt';
my ($acme, $bolt) = ($new->('acme'), $new->('bolt'));
$w->start;
my $read = sub (@words) { my ($code, $said) = $w->tool('consumer', 'calls', @words, '--json'); die $said if $code; decode_json($said)->{calls} };
my $say  = sub (@words) { join ' ', map { join '/', $_->{place}, $_->{consumer} // '-', $_->{calls} } $read->(@words)->@* };

is $say->(), '', 'nothing was called';
$w->get('/old/x', 'X-API-Key' => $acme) for 1 .. 5;
$w->get('/old/y', 'X-API-Key' => $bolt) for 1 .. 3;
$w->get('/old') for 1 .. 2;
$w->get('/older');
$w->get('/new');
is $say->(), '/older/-/1 old/acme/5 old/bolt/3 old/-/2', 'by place and consumer, who calls most first';
is $say->('old'), 'old/acme/5 old/bolt/3 old/-/2', 'of one route';
is $say->('/older'), '/older/-/1', 'of one location';
is $say->('nothing'), '', 'of none';
my ($first) = $read->('old')->@*;
my $today = substr $iso->(time), 0, 10;
like $first->{last}, qr/^\d{4}-\d\d-\d\d$/, 'the day of the last call';
ok $first->{last} eq $today || $first->{last} eq substr($iso->($now), 0, 10), 'is today';
is $first->{server}, 'api.example.com', 'the server is told';

is $w->get('/old', 'X-API-Key' => 'wrong')->status, 401, 'what no guard lets in';
is $w->get('/out')->status, 503, 'and what a brownout refuses';
is $say->('old'), 'old/acme/5 old/bolt/3 old/-/2', 'is no call';
is $w->get('/moved')->status, 200, 'a request that goes from one deprecated place to another';
is $say->(), '/moved/-/1 /older/-/1 old/acme/5 old/bolt/3 old/-/2', 'is one call';

$w->reload($conf->('location /more { return 204; }'), main => "store_path store;\n", workers => 2);
$w->workers_may_change;
kill KILL => $_ for $w->workers;
$w->wait_until('workers are there', sub { my $a = eval { $w->get('/new') }; $a && $a->status == 200 });
$w->get('/old', 'X-API-Key' => $acme);
is $say->('old'), 'old/acme/6 old/bolt/3 old/-/2', 'counts outlive a reload and workers';

my ($code, $said) = $w->tool('consumer', 'calls');
is $code, 0, 'for people';
like $said, qr/^SERVER +PLACE +API +CONSUMER +CALLS LAST$/m, 'there is a head';
like $said, qr/^api\.example\.com +old +- +acme +6 \d{4}-\d\d-\d\d$/m, 'and a line for each';
like $said, qr/^api\.example\.com +old +- +anonymous +2 /m, 'also for those without a consumer';
($code, $said) = $w->tool('consumer', 'calls', '--all');
is $code, 1, 'a word that means nothing is refused';
like $said, qr/does not take "--all"/, 'and named';
done_testing;
