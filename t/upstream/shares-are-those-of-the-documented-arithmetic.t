use v5.36;
use lib 't/lib';
use Weir::Json;
use Weir::Test;

# Groups made by chance, and what the manual says of `overprovisioning`, `panic` and `zone_aware` worked out here by itself: what
# `weir simulate` says, which asks the groups themselves, is within 1% of it for each set and locality.

my $w = Weir::Test->new('shares are those of the documented arithmetic');
$w->time_limit(400);
my $groups = $ENV{WEIR_GROUPS} // 200;
srand($ENV{WEIR_SEED} // 19);

my @places = map { my $region = $_; map { my $zone = $_; map { "$region/$zone/$_" } qw(a b) } qw(x y) } qw(eu us);
my $own    = 'eu/x/a';

sub spew ($name, $text) { open my $to, '>', $name or die "$name: $!"; print $to $text; close $to or die "$name: $!" }
sub min ($x, $y) { $x < $y ? $x : $y }
sub sum (@of)    { my $sum = 0; $sum += $_ for @of; $sum }

# -- a group --

# How many of the names of the gateway, from the last one on, a server does not share.
sub distance ($place) {
    return 3 unless defined $place;
    my @mine = split m{/}, $own;
    my @its  = split m{/}, $place;
    for my $i (0 .. 2) { return 3 - $i if $mine[$i] ne $its[$i] }
    return 0;
}

sub make_group ($number) {
    my %group = (name => "g$number", factor => (1, 1.4, 1.4, 1.4, 2)[ rand 5 ], panic => (0, 0, 10, 50, 80)[ rand 5 ]);
    my @here = @places[ grep { rand() < 0.5 } 0 .. $#places ];
    $group{zones} = { map { $_ => 1 + int rand 5 } $own, grep { rand() < 0.7 } @here } if rand() < 0.4;
    my $sick = (0, 0.2, 0.5, 0.8, 1)[ rand 5 ];
    my $port = 0;
    for my $priority (0 .. int rand 3) {
        my $most = (3, 8, 20, 60)[ rand 4 ];
        for my $place (grep { rand() < 0.6 } $own, @here, undef) {
            for (1 .. 1 + int rand $most) {
                push $group{servers}->@*, {
                    address => sprintf('10.1.%d.%d:%d', $number >> 8, $number & 255, ++$port), place => $place, priority => $priority,
                    weight => (1, 1, 2, 5)[ rand 4 ], down => rand() < 0.05, failed => rand() < $sick };
            }
        }
    }
    push $group{servers}->@*, { address => '10.255.0.1:80', place => undef, priority => 0, weight => 1, down => 0, failed => 0 }
        unless grep { !$_->{down} } $group{servers}->@*;
    return \%group;
}

sub text ($group) {
    my $zones = $group->{zones};
    return "upstream $group->{name} {\noverprovisioning $group->{factor};\npanic $group->{panic}%;\n"
        . ($zones ? 'zone_aware callers=' . join(',', map { "$_:$zones->{$_}" } sort keys %$zones) . ";\n" : '')
        . join('', map {
            "server $_->{address} weight=$_->{weight} priority=$_->{priority}" . (defined $_->{place} ? " locality=$_->{place}" : '')
                . ($_->{down} ? ' down' : '') . ($_->{failed} ? " # failed\n" : '') . ";\n" } $group->{servers}->@*) . "}\n";
}

# -- what the manual says --

# By level and set: { key => part }, and which levels are in panic.
sub reference ($group) {
    my (%levels, %parts, %panic);
    for my $server (grep { !$_->{down} } $group->{servers}->@*) {
        my $distance = distance($server->{place});
        my $set = $group->{zones} ? zone_of($group, $server->{place}) : $distance;
        my $level = $group->{zones} ? $server->{priority} : $server->{priority} * 10 + $distance;
        $server->{set} = "$server->{priority} $set";
        push $levels{$level}{ $server->{set} }->@*, $server;
    }
    my @levels = map { $levels{$_} } sort { $a <=> $b } keys %levels;
    my @counts = map { my @of = map { @$_ } values %$_; [ scalar(@of), scalar grep { !$_->{failed} } @of ] } @levels;
    my @health = map { int min(100, $_->[1] * ($group->{factor} * 100) / $_->[0] + 1e-9) } @counts;
    my $total  = min(100, sum(@health));
    my @in_panic = map { $total < 100 && $_->[1] * 100 < $group->{panic} * $_->[0] } @counts;
    my @load;
    if (@levels == grep { $_ } @in_panic) {
        my $all = sum(map { $_->[0] } @counts);
        @load = map { 100 * $_->[0] / $all } @counts;
    } else {
        my $left = 100;
        for my $health (@health) {
            push @load, $total ? min($left, $health * 100 / $total) : 0;
            $left -= $load[-1];
        }
    }
    for my $i (0 .. $#levels) {
        my $parts = split_level($group, $levels[$i], $in_panic[$i]);
        for my $set (keys $levels[$i]->%*) {
            $parts{$set} = $load[$i] / 100 * ($parts->{$set} // 0);
            $panic{$set} = $in_panic[$i];
        }
    }
    return (\%parts, \%panic);
}

# A number for the zone: 0 the gateway's own, then as they are called, then all places without callers.
sub zone_of ($group, $place) {
    my @zones = ($own, grep { $_ ne $own } sort keys $group->{zones}->%*);
    for my $i (0 .. $#zones) { return $i if defined $place && $place eq $zones[$i] }
    return scalar @zones;
}

sub split_level ($group, $sets, $in_panic) {
    my %healthy = map { my $set = $_; ($set => scalar grep { $in_panic || !$_->{failed} } $sets->{$set}->@*) } keys %$sets;
    my $all     = sum(values %healthy);
    return {} unless $all;
    return { map { $_ => $healthy{$_} / $all } keys %healthy } if $in_panic || keys %$sets == 1;
    my @zones   = ($own, grep { $_ ne $own } sort keys $group->{zones}->%*);
    my $callers = sum(values $group->{zones}->%*);
    my (%room, %parts);
    my $direct = 0;
    for my $set (keys %$sets) {
        my ($zone) = $set =~ / (\d+)$/;
        my $its    = $zone < @zones ? $group->{zones}{ $zones[$zone] } / $callers : 0;
        my $has    = $healthy{$set} / $all;
        if ($zone == 0) {
            $direct = min(1, $has / $its);
            $parts{$set} = $direct;
        } elsif ($has > $its) {
            $room{$set} = $has - $its;
        }
    }
    my $rooms = sum(values %room);
    $parts{$_} = (1 - $direct) * $room{$_} / $rooms for keys %room;
    return \%parts;
}

# Within a set by weight, among those that are asked.
sub reference_localities ($group, $parts, $panic) {
    my (%weights, %mine);
    for my $server (grep { !$_->{down} } $group->{servers}->@*) {
        next if $server->{failed} && !$panic->{ $server->{set} };
        $weights{ $server->{set} } += $server->{weight};
        $mine{ $server->{set} }{ $server->{place} // '' } += $server->{weight};
    }
    my %of;
    for my $set (keys %mine) {
        $of{$_} += $parts->{$set} * $mine{$set}{$_} / $weights{$set} for keys $mine{$set}->%*;
    }
    return \%of;
}

# -- both --

my @groups = map { make_group($_) } 1 .. $groups;
my $file = "$w->{dir}/group.conf";
my ($worst, $differ, $panics, $nobody, $spills) = (0, 0, 0, 0, 0);

$w->conf('server { location / { return 200; } }');
$w->start;
for my $group (@groups) {
    my @failed = map { $_->{address} } grep { $_->{failed} } $group->{servers}->@*;
    my ($parts, $panic) = reference($group);
    my $localities = reference_localities($group, $parts, $panic);
    spew($file, "locality $own;\nevents { }\nhttp { access_log off;\n" . text($group) . "server { listen 127.0.0.1:1; }\n}\n");
    my ($code, $said) = $w->tool('simulate', '-c', $file, '--json', map { ('--down', $_) } @failed);
    like $said, qr{\A\{}, "$group->{name}: an object" or last;
    my $told = Weir::Json::decode($said)->{upstreams}[0];
    my (%got, %got_of);
    for my $set ($told->{sets}->@*) {
        my $key = "$set->{priority} $set->{distance}";
        $got{$key} = $set->{share};
        $differ++ if $set->{servers} && !!$panic->{$key} != !!$set->{panic};
        $panics++ if $set->{panic};
        $got_of{ $_->{locality} } += $_->{share} for $set->{localities}->@*;
    }
    $nobody++ if $code == 2;
    $spills++ if 1 < grep { $_ } values %got;
    for my $pair ((map { [ $parts->{$_} // 0, $got{$_}, "set $_" ] } keys %got),
        (map { [ $localities->{$_} // 0, $got_of{$_}, "locality $_" ] } keys %got_of))
    {
        my $off = abs($pair->[0] - $pair->[1]);
        diag(sprintf "%s, %s: %.4f, expected %.4f\n%s", $group->{name}, $pair->[2], @$pair[ 1, 0 ], text($group)) if $off > 0.01;
        $worst = $off if $off > $worst;
    }
}
cmp_ok $worst, '<=', 0.01, sprintf 'shares of sets and localities of %d groups: the worst is %.2f%% off', $groups, 100 * $worst;
is $differ, 0, 'the same sets are in panic';
note "$panics sets in panic, $nobody groups without a server, $spills with more than one set";
ok $panics > 10 && $nobody > 3 && $spills > 50, 'all of it came' if $groups >= 200;
done_testing;
