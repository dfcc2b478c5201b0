# servers_file: lines or JSON, with weights and backups; the file is replaced while requests come, and none fails; a file that is wrong or gone changes nothing
# and says why.  Reload and new workers begin with what was known.
use v5.36;
use lib 't/lib';
use JSON::PP qw(decode_json);
use Weir::Test;

my $w      = Weir::Test->new('servers of a file come and go with it')->needs_weir->workers_may_change;
my %origin = map { my $name = $_; $name => $w->origin(sub ($c) { $c->reply(200, $name) }) } qw(one two three four);
my $dir    = $w->dir;
my $say    = sub ($text) { $w->write_file('list.new', $text); rename "$dir/list.new", "$dir/list" or die };
$w->allow_log(qr/servers of upstream "listed" in \S+ (?:are not taken|cannot be read)/, qr/\[emerg\]|\[warn\]/, qr/exited on signal 9/, qr/upstream\.none/);
$say->("server $origin{one};   # the first\nserver $origin{two} weight=3;\nserver $origin{three} backup;\n");
$w->conf(<<"END", workers => 2);
    upstream listed { servers_file $dir/list interval=100ms max_fails=0; }
    upstream both { server $origin{four}; servers_file $dir/list interval=100ms; }
    server {
        location / { proxy_pass http://listed; }
        location /both { proxy_pass http://both; }
        location /worker { return 200 "\$pid"; }
        location /status { status; }
        location /metrics { prometheus; }
    }
END
my $shares = sub ($path, $n) { my %seen; my $c = $w->client; $seen{ $c->send_request('GET', $path)->read_response->body }++ for 1 .. $n; join ' ', map { "$_ $seen{$_}" } sort keys %seen };
is $w->get('/')->status, 200, 'the first request finds them';
is $shares->('/', 40), 'one 10 two 30', 'lines have weights and backups';
is $shares->('/both', 40), 'four 8 one 8 two 24', 'and stand beside servers that are written';

my $all = sub ($want, $what) { $w->wait_until($what, sub { $w->both_workers_say('/') eq "$want $want" }); pass $what };
$say->(qq({"servers": [{"server": "$origin{three}", "note": "passed over"}]}));
$all->('three', 'JSON that takes its place is known to both workers');

for my $bad ([ '{"servers": [{"server": "a.name:80"}]}', qr/server 0: "server": expected an address, not a name/ ], [ '[{"server": "127.0.0.1:1", "weight": 0}]', qr/server 0: "weight": expected a number from 1/ ],
    [ '{', qr/it is no JSON/ ], [ '[{}]', qr/server 0: expected an object with a member "server"/ ], [ "server 127.0.0.1:1;\nserver 127.0.0.1:2 weight=x;", qr/line 2: "weight=x": expected a number/ ],
    [ "server 127.0.0.1:1;\nserver 127.0.0.1:2", qr/are not taken: .* in list:2/ ], [ join('', map { "server 127.0.0.1:$_;" } 1 .. 10_001), qr/more than 10000 servers/ ])
{
    $say->($bad->[0]);
    $w->wait_for_log($bad->[1]);
    is $w->get('/')->body, 'three', 'a wrong list changes nothing: ' . substr $bad->[0], 0, 40;
}
my $sources = sub { decode_json($w->get('/status')->body)->{upstreams}{listed}{sources} };
is $sources->()->{failures}{malformed}, 7, 'each is counted';
is $sources->()->{failing}, 1, 'the source is failing';
like $w->get('/metrics')->body, qr/^weir_upstream_sources_failures_total\{upstream="listed",reason="malformed"\} 7$/m, 'so says Prometheus';
unlink "$dir/list";
$w->wait_for_log(qr/list cannot be read: No such file/);
is $w->get('/')->body, 'three', 'nor does one that is gone';
$w->reload;
is $w->both_workers_say('/'), 'three three', 'a reload begins with what was known';
kill 'KILL', $_ for my @before = $w->workers;
$w->wait_until('other workers are there', sub { my @now = $w->workers; @now == 2 && !grep { my $pid = $_; grep { $pid == $_ } @before } @now });
is $w->both_workers_say('/'), 'three three', 'so do workers that start';

$say->("server $origin{one};");
$all->('one', 'it comes back');
is $sources->()->{failing}, 0, 'and is failing no more';
cmp_ok $sources->()->{lists}, '>=', 3, 'lists that were taken are counted';
open my $in_place, '>', "$dir/list" or die;
print $in_place "server $origin{two};\n";
close $in_place;
$all->('two', 'one that is written in place is taken, too');
$say->('');
$w->wait_until('an empty list empties the group', sub { $w->get('/')->status == 502 });
pass 'an empty list empties the group';

# Changes all the time, and requests all the time.
$say->("server $origin{one};");
$all->('one', 'there is one again');
my %status;
for my $round (1 .. 30) {
    $say->(join '', map { "server $_;\n" } (sort values %origin)[ grep { $round & 1 << $_ || $_ == $round % 4 } 0 .. 3 ]);
    my @clients = map { $w->client } 1 .. 4;
    for (1 .. 15) { $status{ $_->send_request('GET', '/')->read_response->status }++ for @clients }
}
is join(' ', sort keys %status), '200', 'no request fails while the list changes';

for my $bad ([ 'servers_file;', qr/number of arguments/ ], [ 'servers_file list interval=1ms;', qr/100ms or more/ ], [ 'servers_file list resolve;', qr/parameter of "server"/ ]) {
    my ($code, $said) = $w->check_conf("upstream a { $bad->[0] }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told';
}
my ($code, $said) = $w->check_conf('upstream a { servers_file /does/not/exist; }');
is $code, 0, 'a file that is not there is no error';
like $said, qr{the servers in "/does/not/exist" are not taken}, 'but a warning';
done_testing;
