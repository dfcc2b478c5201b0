# `weir upstream` adds, changes, drains and removes servers of a group while the instance runs: when it returns, no worker
# goes by what was before.  It holds over a reload, in workers that start later and in another program; what is wrong is
# said and changes nothing.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('servers are changed while all workers serve')->needs_weir;
my %made = map { my $name = $_; ($name => $w->origin(sub { shift->reply(200, $name) })) } qw(a b c);
my $conf = <<"END";
    upstream api { server $made{a}; server $made{b}; }
    upstream other { server $made{c}; }
    upstream drawn { random; server $made{c}; }
    server { location / { proxy_pass http://api; add_header X-Pid \$pid; } location /status { status; } }
END
$w->conf($conf, workers => 3);
$w->allow_log(qr/upstream\.none|exited on signal 9/)->workers_may_change;

sub upstream (@words) { $w->tool("upstream", map { "$_" } @words) }
sub done (@words) {
    my ($code, $said) = upstream(@words);
    is $code, 0, "upstream @words" or diag $said;
    return $said;
}
sub refused ($pattern, @words) {
    my ($code, $said) = upstream(@words);
    ok $code == 1 && $said =~ $pattern, "upstream @words is refused" or diag "$code: $said";
}
# Who answers, of so many requests on connections of their own, which reach all workers; and how many workers did.
sub seen ($n = 60) {
    my (%seen, %pids);
    for (1 .. $n) {
        my $answer = $w->get('/');
        $seen{ $answer->status == 200 ? $answer->body : $answer->status }++;
        $pids{ $answer->header('X-Pid') // '' } = 1;
    }
    return join ' ', sort keys %seen;
}
my $row = sub ($origin) {
    my ($code, $said) = upstream(qw(api list --json));
    my ($row) = grep { $_->{server} eq "$origin" } decode_json($said)->{servers}->@*;
    return $row;
};

is seen(), 'a b', 'what the configuration says';
like done(), qr/^api +2 +0$/m, 'the groups are listed';
like done('api'), qr/^$made{a} +configuration +up +1 /m, 'and servers of one';

done('api', 'add', $made{c}, 'weight=2');
is seen(), 'a b c', 'one that was added';
is $row->($made{c})->{from}, 'run time', 'is listed as such';
is decode_json($w->get('/status')->body)->{upstreams}{api}{peers}{"$made{c}"}{state}, 'up', 'and counted';
done('api', 'remove', $made{a});
is seen(), 'b c', 'one that was removed';
is $row->($made{a})->{state}, 'removed', 'is listed as such';
done('api', 'drain', $made{b});
is seen(), 'c', 'one that is drained';
is $row->($made{b})->{state}, 'drained', 'is listed as such';
done('api', 'set', $made{b}, 'up', 'max_fails=7');
is seen(), 'b c', 'one that is up again';
is $row->($made{b})->{max_fails}, 7, 'with what else was set';
done('api', 'set', $made{c}, 'down');
is seen(), 'b', 'one that is down';

$w->reload($conf =~ s/upstream other/upstream another/r);
is seen(), 'b', 'a reload changes none of that';
my %before = map { $_ => 1 } $w->workers;
kill KILL => keys %before;
$w->wait_until('other workers serve', sub {
    my @now = $w->workers;
    return @now == 3 && !grep { $before{$_} } @now;
});
is seen(), 'b', 'nor do workers that start later';
my ($code, $said) = $w->tool(qw(-s upgrade));
is $code, 0, 'another program takes over' or diag $said;
$w->wait_until('it is there', sub { eval { $w->taken_over } });
is seen(), 'b', 'nor does it';
is $row->($made{c})->{from}, 'run time', 'which knows what was changed';

done('api', 'add', $made{a});
is seen(), 'a b', 'one that was removed comes back';
ok !$row->($made{a})->{changed}, 'as it is configured, so that nothing is changed of it';
done('api', 'remove', $_) for @made{qw(a b c)};
is seen(3), '502', 'all may go, and the group has none then';
done('api', 'add', $made{c});
is seen(6), 'c', 'until one comes';

refused(qr/no upstream "nothing"/, 'nothing', 'add', '127.0.0.1:1');
refused(qr/no upstream "other"/, 'other', 'list');
refused(qr/is in upstream "api" already/, 'api', 'add', $made{c});
refused(qr/no "127.0.0.1:1" in upstream "api"/, 'api', $_, '127.0.0.1:1') for qw(remove drain);
refused(qr/is no address.*name is for the configuration/, 'api', 'add', 'localhost:80');
refused(qr/"weight" is to be a number from 1/, 'api', 'set', $made{c}, 'weight=0');
refused(qr/nothing is to be set/, 'api', 'set', $made{c});
refused(qr/"backup" is not for this command/, 'api', 'set', $made{c}, 'backup');
refused(qr/expected weight=/, 'api', 'set', $made{c}, 'colour=red');
refused(qr/expected list, add/, 'api', 'sell');
refused(qr/slow_start may not be used with random, which upstream "drawn" has/, 'drawn', @$_, 'slow_start=5s')
    for [ 'add', '127.0.0.1:1' ], [ 'set', $made{c} ];
is seen(6), 'c', 'none of which changes anything';

done_testing;
