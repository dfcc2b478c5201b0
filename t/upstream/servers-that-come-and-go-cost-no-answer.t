# The table of faults, of several servers: flapping, slow recovery, all down, one server of a zone, a zone, a region lost, a name that fails or moves:
# what do clients get, which cause is named, how long does it take until all is as before?
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Dns;
use Weir::Test;

my $w     = Weir::Test->new('servers that come and go cost no answer')->needs_weir;
my $dir   = $w->dir;
my $rests = 0.3;
my $good  = $w->origin(sub ($c) { $c->reply(200, 'good') });

# NAME.down: it closes; NAME.flap: every other request of it.  Each request of it is a line of NAME.asked.
my $server = sub ($name, %arg) {
    $w->origin(sub ($c) {
        open my $out, '>>', "$dir/$name.asked" or die;
        syswrite $out, sprintf("%.3f\n", time);
        return $c->close if -e "$dir/$name.down" || (-e "$dir/$name.flap" && (-s "$dir/$name.asked") / 15 % 2);
        $c->reply(200, $name);
    }, %arg);
};
my $asked = sub ($name) { open my $in, '<', "$dir/$name.asked" or return 0; my @all = <$in>; scalar @all };
my $down  = sub (@names) { $w->write_file("$_.down", '') for @names };
my $up    = sub (@names) { unlink "$dir/$_.down" or die for @names };
my %at    = map { $_ => $server->($_) } qw(flap slow d1 d2 a1 a2 b1 b2 u1 u2);
my $name_port = $w->port('named');
my $first  = $w->origin(sub ($c) { $c->reply(200, 'first') },  port => $name_port);
my $second = $w->origin(sub ($c) { $c->reply(200, 'second') }, host => '127.0.0.2', port => $name_port);
my $say   = sub ($text) { $w->write_file('answer', $text) };
$say->('127.0.0.1');
my $dns = Weir::Dns->new($w, sub ($name, $type) { open my $in, '<', "$dir/answer" or return 'servfail'; split / /, <$in> // '' });

my $how = 'max_fails=1 fail_timeout=' . int(1000 * $rests) . 'ms';
$w->allow_log(qr/upstream/);
$w->conf(<<"END", workers => 1);
    locality eu/de/a;
    log_format judged '\$request_uri \$status \$weir_cause \$upstream_addr';
    access_log logs/judged.log judged;
    upstream flap { server $at{flap} $how; server $good $how; keepalive 0; }
    upstream slow { server $at{slow} $how; server $good $how; keepalive 0; }
    upstream down { server $at{d1} $how; server $at{d2} $how; keepalive 0; }
    upstream zones {
        keepalive 0;
        server $at{a1} $how locality=eu/de/a; server $at{a2} $how locality=eu/de/a;
        server $at{b1} $how locality=eu/de/b; server $at{b2} $how locality=eu/de/b;
        server $at{u1} $how locality=us/ny/a; server $at{u2} $how locality=us/ny/a;
    }
    resolver $dns valid=1s ipv6=off;
    resolver_timeout 500ms;
    upstream named { server origin.test:$name_port resolve; }
    server {
        keepalive_timeout 0;
        location /flap { proxy_pass http://flap; }
        location /slow { proxy_pass http://slow; }
        location /down { proxy_pass http://down; }
        location /zones { proxy_pass http://zones; }
        location /named { proxy_pass http://named; }
        location = /status { status; }
    }
END

# All of n requests: { status or body => how many }
my $ask = sub ($path, $n) {
    my %got;
    for (1 .. $n) { my $answer = $w->get($path); $got{ $answer->status == 200 ? $answer->body : $answer->status }++ }
    return \%got;
};
my $state = sub ($group, $name) { decode_json($w->get('/status')->body)->{upstreams}{$group}{peers}{"$at{$name}"}{state} };
# How long it takes until a request to path is answered by name.
my $until = sub ($path, $name) {
    my $from = time;
    $w->wait_until("$path is answered by $name", sub { $w->get($path)->body eq $name });
    return time - $from;
};

# flapping
$w->write_file('flap.flap', '');
my $end = time + 4 * $rests;
my %got;
while (time < $end) { my $got = $ask->('/flap', 1); $got{$_} += $got->{$_} for keys %$got; sleep 0.01 }
ok !grep({ /^\d/ } keys %got), 'flapping: no client sees an error' or diag explain \%got;
ok $got{flap} && $got{good}, 'flapping: both serve';
my $counted = decode_json($w->get('/status')->body)->{upstreams}{flap}{peers}{"$at{flap}"};
cmp_ok $counted->{fails}, '>=', 2, 'flapping: its failures are counted';
is_deeply [ keys $counted->{causes}->%* ], ['upstream.closed'], 'flapping: and why';
cmp_ok $counted->{fails}, '<=', 6, 'flapping: one failure a rest, no more';
unlink "$dir/flap.flap";
cmp_ok $until->('/flap', 'flap'), '<', $rests + 2, 'flapping: well again';
is_deeply $ask->('/flap', 10), { flap => 5, good => 5 }, 'flapping: with its whole share';

# slow recovery: each time that it is tried it fails
$down->('slow');
$ask->('/slow', 2);
my ($from, $before) = (time, $asked->('slow'));
%got = ();
while (time < $from + 4 * $rests) { my $got = $ask->('/slow', 1); $got{$_} += $got->{$_} for keys %$got; sleep 0.01 }
is_deeply [ keys %got ], ['good'], 'slow recovery: no client sees an error';
cmp_ok $asked->('slow') - $before, '>=', 2, 'slow recovery: it is tried';
cmp_ok $asked->('slow') - $before, '<=', (time - $from) / $rests, 'slow recovery: once for each rest';
is $state->('slow', 'slow'), 'unavail', 'slow recovery: as the statistics say';
$up->('slow');
cmp_ok $until->('/slow', 'slow'), '<', $rests + 2, 'slow recovery: well again';

# all down
$down->('d1', 'd2');
$from = time;
is_deeply $ask->('/down', 1), { 502 => 1 }, 'all down: 502';
is $w->wait_for_access(qr{^/down 502 (\S+)}m, 'judged.log'), 'upstream.closed', 'all down: the last failure is the cause';
$before = $asked->('d1') + $asked->('d2');
my $got = $ask->('/down?none', 3);
if (time - $from < $rests) {
    is_deeply $got, { 502 => 3 }, 'all down: and at once while they rest';
    is $asked->('d1') + $asked->('d2'), $before, 'all down: nobody is asked';
    is $w->wait_for_access(qr{^/down\?none 502 (\S+)}m, 'judged.log'), 'upstream.none', 'all down: which is the cause';
}
$up->('d1', 'd2');
$from = time;
$w->wait_until('one of them is back', sub { $w->get('/down')->status == 200 });
cmp_ok time - $from, '<', $rests + 2, 'all down: well again after a rest';
$w->wait_until('both are back', sub { $state->('down', 'd1') eq 'up' && $state->('down', 'd2') eq 'up' || !$w->get('/down') });
is_deeply $ask->('/down', 4), { d1 => 2, d2 => 2 }, 'all down: both serve';

# localities: what is lost, who serves then
for my $case ([ 'one server of the zone', ['a1'], qr/^[ab][12]$/ ], [ 'the zone', [qw(a1 a2)], qr/^b[12]$/ ], [ 'the region', [qw(a1 a2 b1 b2)], qr/^u[12]$/ ]) {
    my ($what, $lost, $serves) = @$case;

    is_deeply $ask->('/zones', 4), { a1 => 2, a2 => 2 }, "$what: before, the own zone serves";
    $down->(@$lost);
    $end = time + 3 * $rests;
    %got = ();
    while (time < $end) { my $got = $ask->('/zones', 1); $got{$_} += $got->{$_} for keys %$got }
    is_deeply [ grep { !/$serves/ } keys %got ], [], "$what: lost: no client sees an error" or diag explain \%got;
    is_deeply [ map { $state->('zones', $_) } @$lost ], [ map { 'unavail' } @$lost ], "$what: the statistics show who is lost" if $what ne 'the region';
    $up->(@$lost);
    $from = time;
    $w->wait_until("$what is back", sub { $w->get('/zones'); !grep { /^a/ && $state->('zones', $_) ne 'up' } @$lost });     # (the others are not asked any more)
    cmp_ok time - $from, '<', $rests + 2, "$what: back soon after it is well";
}
is_deeply $ask->('/zones', 4), { a1 => 2, a2 => 2 }, 'after all, the own zone serves';

# names
$w->wait_until('the name is known', sub { $w->get('/named')->status == 200 });
$say->('servfail');
my $questions = $dns->questions;
$w->wait_until('the name servers are asked, and fail', sub { $dns->questions > $questions });
is_deeply $ask->('/named', 5), { first => 5 }, 'a name that fails: what was known serves';
$say->('127.0.0.2');
$from = time;
$w->wait_until('the name has moved', sub { my $answer = $w->get('/named'); is $answer->status, 200, 'no error meanwhile' if $answer->status != 200; $answer->body eq 'second' });
cmp_ok time - $from, '<', 10, 'a name that moves: its new address serves soon';
is_deeply $ask->('/named', 5), { second => 5 }, 'and alone';

done_testing;
