# servers_url: a list in JSON at an address is asked for by one worker, with its ETag; what is new is known to all at once.  A server that fails, says something
# else, or too much, changes nothing.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('servers of a list at an address come and go with it')->needs_weir;
my %origin = map { my $name = $_; $name => $w->origin(sub ($c) { $c->reply(200, $name) }) } qw(one two three);
my $dir    = $w->dir;
my $say    = sub ($text) { $w->write_file('list.new', $text); rename "$dir/list.new", "$dir/list" or die };
$w->write_file('conf/token', "s3cret\n");
my $lists = $w->origin(sub ($c) {
    open my $in, '<', "$dir/list" or die;
    my $text = do { local $/; <$in> };
    my $etag = '"' . unpack('%32C*', $text) . '"';
    my $request = $c->request;
    $c->note('token ' . ($request->header('Authorization') // '-'));
    return $c->reply(503, 'no') if $text =~ /^down/;
    return $c->reply(304, '', ETag => $etag) if ($request->header('If-None-Match') // '') eq $etag;
    return $c->reply(200, $text, ETag => $etag);
});
$w->allow_log(qr/servers of upstream "listed" (?:cannot|can) be had/, qr/\[emerg\]/, qr/upstream\.none/);
$say->(qq([{"server": "$origin{one}"}, {"server": "$origin{two}", "weight": 3}]));
$w->conf(<<"END", workers => 2);
    upstream registry { server $lists; }
    upstream listed { servers_url http://registry/v1/list.json interval=100ms token_file=token max_fails=0; }
    server {
        location / { proxy_pass http://listed; }
        location /worker { return 200 "\$pid"; }
    }
END
my $all = sub ($want, $what) { $w->wait_until($what, sub { $w->both_workers_say('/') eq "$want $want" }); pass $what };
$w->wait_until('the list is known', sub { $w->get('/')->status == 200 });
my %seen;
my $c = $w->client;
$seen{ $c->send_request('GET', '/')->read_response->body }++ for 1 .. 40;
is "$seen{one} $seen{two}", '10 30', 'weights are those of the list';
is +($lists->notes)[0], 'token Bearer s3cret', 'the token goes along';
is +($lists->lines)[0], 'GET /v1/list.json', 'the list is asked for as the address says';
my $asked = $lists->requests;
$w->wait_until('it is asked for again', sub { $lists->requests >= $asked + 5 });
like join('', $lists->received), qr/If-None-Match: "\d+"/, 'with its ETag';

$say->(qq({"servers": [{"server": "$origin{three}"}]}));
$all->('three', 'another list is known to both workers');
for my $bad ([ 'down', qr/it answered with status 503/ ], [ '{"servers": 1}', qr/expected an array of servers/ ], [ '[{"server": "unix:/tmp/x"}]', qr/expected an address, not a name/ ],
    [ '[' . join(',', ('{"server":"127.0.0.1:1"}') x 10_001) . ']', qr/more than 10000 servers/ ], [ 'x' x 100, qr/in list:1/ ])
{
    $say->($bad->[0]);
    $w->wait_for_log($bad->[1]);
    is $w->get('/')->body, 'three', 'nothing is changed by ' . substr $bad->[0], 0, 40;
}
$say->(qq([{"server": "$origin{one}"}]));
$all->('one', 'a good one is taken again');
$w->wait_for_log(qr/can be had from \S+ again/);
$lists->stop;
$w->wait_for_log(qr/cannot be had from \S+: (?!it answered|expected|server|there are|line)/);
is $w->get('/')->body, 'one', 'nor by a server that is gone';
$w->reload;
is $w->both_workers_say('/'), 'one one', 'a reload begins with what was known';

for my $bad ([ 'servers_url;', qr/number of arguments/ ], [ 'servers_url file.json;', qr{http:// or https://} ], [ 'servers_url http://127.0.0.1/ interval=1ms;', qr/100ms or more/ ],
    [ 'servers_url http://127.0.0.1/ token_file=missing;', qr/missing/ ], [ 'servers_url http://127.0.0.1/ service=a;', qr/expected interval=/ ], [ 'servers_url http://a/;', qr/its own servers/ ])
{
    my ($code, $said) = $w->check_conf("upstream a { $bad->[0] }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told';
}
done_testing;
