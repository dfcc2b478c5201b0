# servers_consul: the passing instances of a service, asked for with blocking queries by one worker: index, wait, token and filters; weights, addresses of nodes,
# an index that goes back, an agent that restarts, answers that are no list.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(sleep);
use Weir::Test;

my $w      = Weir::Test->new('instances that consul knows are peers')->needs_weir;
my %origin = map { my $name = $_; $name => $w->origin(sub ($c) { $c->reply(200, $name) }) } qw(one two three);
my %port   = map { $_ => $origin{$_} =~ s/.*://r } keys %origin;
my $dir    = $w->dir;
my $state  = sub ($index, $text) { $w->write_file('state.new', "$index\n$text"); rename "$dir/state.new", "$dir/state" or die };
my $read   = sub { open my $in, '<', "$dir/state" or die; my $index = <$in>; chomp $index; local $/; return ($index, scalar <$in>) };
my $one    = sub ($name, %more) {
    my $address = $more{node} ? '' : '127.0.0.1';
    my $weight = $more{weight} // 1;
    return qq({"Node": {"Node": "n", "Address": "127.0.0.1", "Meta": {"a": ""}}, "Service": {"ID": "$name", "Service": "api", "Tags": ["v1"], "Address": "$address", "Port": $port{$name},)
        . qq( "Weights": {"Passing": $weight, "Warning": 1}, "Locality": {"Region": "eu", "Zone": "de"}}, "Checks": [{"Status": "passing", "Output": "x"}]});
};
$w->write_file('conf/token', "s3cret\n");
# It answers when its index is another than the one that is named, or when the wait is over: a second at most here.
my $consul = $w->origin(sub ($c) {
    my ($index) = $c->request->target =~ /index=(\d+)/;
    $c->note('token ' . ($c->request->header('Authorization') // '-'));
    my ($now, $text);
    for (1 .. 100) { ($now, $text) = $read->(); last if !defined $index || $now != $index; sleep 0.01 }
    return $c->reply($now =~ /^5/ ? 500 : 200, $text, 'X-Consul-Index' => $now);
});
$w->allow_log(qr/servers of upstream "api" (?:cannot|can) be had/, qr/\[emerg\]/, qr/upstream\.none/);
$state->(10, '[' . join(',', $one->('one'), $one->('two', weight => 3, node => 1)) . ']');
$w->conf(<<"END", workers => 2);
    upstream api { servers_consul http://$consul/base/ tag=v1 service=api dc=here token_file=token wait=1m max_fails=0; }
    server {
        location / { proxy_pass http://api; }
        location /worker { return 200 "\$pid"; }
    }
END
my $all = sub ($want, $what) { $w->wait_until($what, sub { $w->both_workers_say('/') eq "$want $want" }); pass $what };
$w->wait_until('the instances are known', sub { $w->get('/')->status == 200 });
my %seen;
my $c = $w->client;
$seen{ $c->send_request('GET', '/')->read_response->body }++ for 1 .. 40;
is "$seen{one} $seen{two}", '10 30', "weights are those of the instances, and a node's address serves where a service has none";
is +($consul->notes)[0], 'token Bearer s3cret', 'the token goes along';
is +($consul->lines)[0], 'GET /base/v1/health/service/api?passing=1&tag=v1&dc=here', 'the first question does not wait';
$consul->wait_requests(2);
is +($consul->lines)[1], 'GET /base/v1/health/service/api?passing=1&tag=v1&dc=here&index=10&wait=60000ms', 'the next one waits for news';

$state->(11, '[' . $one->('three') . ']');
$all->('three', 'news is known to both workers');
my $asked = $consul->requests;
$state->(3, '[' . $one->('one') . ']');
$all->('one', 'an index that goes back');
$w->wait_until('it begins anew', sub { grep { !/index=/ } ($consul->lines)[ $asked .. $consul->requests - 1 ] });
pass 'begins anew';

my $index = 20;
for my $bad ([ '{}', qr/its answer is no JSON array/ ], [ '[{"Service": {}}]', qr/instance 0: expected an instance with a Service and its Port/ ],
    [ '[{"Service": {"Port": 80, "Address": "a.name"}}]', qr/expected an IP address and a port/ ], [ '[{"Service": {"Port": 80, "Address": "127.0.0.1", "Weights": {"Passing": -1}}}]', qr/expected a weight/ ])
{
    $state->(++$index, $bad->[0]);
    $w->wait_for_log($bad->[1]);
    is $w->get('/')->body, 'one', "nothing is changed by $bad->[0]";
    $state->(++$index, '[' . $one->('two') . ']');
    $all->('two', 'a good answer is taken again');
    $state->(++$index, '[' . $one->('one') . ']');
    $all->('one', 'and another');
}
$state->(500, 'no');
$w->wait_for_log(qr/it answered with status 500/);
is $w->get('/')->body, 'one', 'nor by an agent that fails';
$state->(30, '[' . $one->('two') . ']');
$all->('two', 'and it goes on');
$state->(31, '[]');
$w->wait_until('a service without instances has none', sub { $w->get('/')->status == 502 });
pass 'a service without instances has none';

for my $bad ([ 'servers_consul http://127.0.0.1;', qr/number of arguments/ ], [ 'servers_consul http://127.0.0.1 tag=a;', qr/must have "service=name"/ ], [ 'servers_consul http://127.0.0.1 service=a&b;', qr/name of a service/ ],
    [ 'servers_consul http://127.0.0.1 service=a wait=1h;', qr/from 1s to 10m/ ], [ 'servers_consul http://127.0.0.1 service=a tag=ä;', qr/letters, digits/ ])
{
    my ($code, $said) = $w->check_conf("upstream a { $bad->[0] }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told';
}
done_testing;
