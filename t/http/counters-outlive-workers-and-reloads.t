use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('counters outlive workers and reloads');
my $text = sub ($n) { join('', map { "server { listen 127.0.0.1:%%PORT_s$_%%; status_zone s$_; location / { status_zone l$_; return 200 $_; } }\n" } 1 .. $n)
    . 'server { listen 127.0.0.1:%%PORT%%; location /status { status; } location / { return 200; } }' };
$w->conf($text->(3), workers => 3, main => 'statistics_rows 64;')->workers_may_change->allow_log(qr/exited on signal 9/);
$w->start;
my $zone = sub ($name, $kind = 'server_zones') { my $all = decode_json($w->get('/status')->body); $all->{$kind}{$name} };
# An answer reaches its client before its request is counted, and another worker may be asked between the two.
my $counted = sub ($n, $name = 's1') { $w->wait_until("$n are counted", sub { $zone->($name)->{requests} >= $n }) };
$w->request('GET', '/', port => 's1') for 1 .. 50;
$counted->(50);
is $zone->('s1')->{requests}, 50, 'fifty over three workers';
for my $round (1 .. 3) {
    my @before = $w->workers;
    kill 'KILL', $_ for @before;
    $w->wait_until('other workers', sub { my @now = $w->workers; my %old = map { $_ => 1 } @before; @now == 3 && !grep { $old{$_} } @now });
    $w->wait_until('they serve', sub { eval { $w->get('/')->status } });
    is $zone->('s1')->{requests}, 50 + 10 * ($round - 1), "round $round: those of killed workers are counted";
    is $zone->('s1')->{processing}, 0, 'and nothing is under way';
    $w->request('GET', '/', port => 's1') for 1 .. 10;
    $counted->(50 + 10 * $round);
    is $zone->('s1')->{requests}, 50 + 10 * $round, 'counting goes on';
}
$w->reload($text->(4));
is $zone->('s1')->{requests}, 80, 'over a reload it is kept';
$w->request('GET', '/', port => 's4') for 1 .. 5;
$counted->(5, 's4');
is $zone->('s4')->{requests}, 5, 'what is new begins';

# More than there is room for.
$w->reload($text->(60));
$w->request('GET', '/', port => 's60') for 1 .. 7;
$counted->(7, '_other');
is $zone->('s1')->{requests}, 80, 'what has a row keeps it';
is $zone->('s60'), undef, 'what finds no room has none';
cmp_ok $zone->('_other')->{requests}, '>=', 7, 'but is counted as _other';
cmp_ok $zone->('_other', 'location_zones')->{requests}, '>=', 7, 'of its kind';

done_testing;
