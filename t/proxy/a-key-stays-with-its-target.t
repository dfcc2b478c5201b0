# split_key: the same key the same target, in every worker and after a reload; what moves when weights change is what they changed by.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a key stays with its target');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
my $conf   = sub (@targets) {
    return "upstream a { server $origin; } upstream b { server $origin; } upstream c { server $origin; } upstream d { server $origin; } server {
        add_header X-Target \$split_target; add_header X-Pid \$pid; split_key \$cookie_uid;
        location / { " . join(' ', map { "proxy_pass http://$_->[0] weight=$_->[1];" } @targets) . " } }";
};
my @keys = map { "user-$_" } 1 .. 300;
my %pids;
my $map = sub () {
    my %to;
    my $client = $w->client;
    for my $key (@keys) {
        my $answer = $client->get('/', Cookie => "uid=$key");
        ($to{$key}) = $answer->header('X-Target') =~ m{^http://(\w)$};
        $pids{ $answer->header('X-Pid') }++;
    }
    $client->close;
    return \%to;
};
my $count = sub ($to, $target) { scalar grep { $_ eq $target } values %$to };
my $moved = sub ($from, $to) { my %m; $m{"$from->{$_}$to->{$_}"}++ for grep { $from->{$_} ne $to->{$_} } @keys; \%m };

$w->conf($conf->([ a => 60 ], [ b => 30 ], [ c => 10 ]));
my $first = $map->();
cmp_ok abs($count->($first, 'a') - 180), '<', 40, 'shares are those of the weights, nearly: a';
cmp_ok abs($count->($first, 'b') - 90), '<', 40, 'b';
cmp_ok abs($count->($first, 'c') - 30), '<', 25, 'c';
for (1 .. 40) { last if keys %pids == 2; is_deeply $moved->($first, $map->()), {}, 'nothing moves' }
is scalar(keys %pids), 2, 'in either worker';
$w->reload($conf->([ c => 100 ], [ a => 600 ], [ b => 300 ]));
is_deeply $moved->($first, $map->()), {}, 'in another order, and with weights of the same proportion: nothing moves';
$w->reload($conf->([ a => 50 ], [ b => 40 ], [ c => 10 ]));
my $second = $map->();
my $m = $moved->($first, $second);
cmp_ok $m->{ab} // 0, '>', 5, 'what a loses goes to b';
is_deeply [ grep { !/^ab$|^cb$|^ac$/ } sort keys %$m ], [], 'nobody goes where weight was lost';
$w->reload($conf->([ a => 50 ], [ b => 40 ], [ c => 10 ], [ d => 20 ]));
$m = $moved->($second, $map->());
is_deeply [ grep { !/d$/ } keys %$m ], [], 'a new target takes from the others, and nothing else moves';
$w->reload($conf->([ a => 50 ], [ b => 40 ], [ c => 0 ]));
$m = $moved->($second, $map->());
is_deeply [ grep { !/^c/ } keys %$m ], [], 'of one that goes its own move, and nothing else';

my %turns;
$turns{ $w->get('/')->header('X-Target') }++ for 1 .. 9;
is_deeply \%turns, { 'http://a' => 5, 'http://b' => 4 }, 'without a key it is by turns';

done_testing;
