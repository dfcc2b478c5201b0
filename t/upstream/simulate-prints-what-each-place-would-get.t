use v5.36;
use lib 't/lib';
use Weir::Json;
use Weir::Test;

my $w = Weir::Test->new('simulate prints what each place would get');
$w->conf(<<'END');
    locality eu/de/a;
    upstream near {
        server 10.0.0.1:80 locality=eu/de/a;
        server 10.0.0.2:80 locality=eu/de/a;
        server 10.0.0.3:80 locality=eu/de/b weight=3;
        server 10.0.0.4:80 locality=eu/de/b;
        server 10.0.0.5:80 backup;
    }
    upstream shared {
        zone_aware callers=eu/de/a:3,eu/de/b:1;
        least_conn;
        server 10.0.1.1:80 locality=eu/de/a;
        server 10.0.1.2:80 locality=eu/de/b;
    }
    server { location / { proxy_pass http://near; } }
END
$w->start;

sub told (@words) {
    my ($code, $said) = $w->tool('simulate', '--json', @words);
    my %got = (code => $code);
    for my $group (Weir::Json::decode($said)->{upstreams}->@*) {
        $got{"$group->{name} none"} = 0 + $group->{none}{rps};
        for my $set ($group->{sets}->@*) {
            $got{ $set->{backup} ? "$group->{name} backup" : "$group->{name} $set->{localities}[0]{locality}" } = 0 + $set->{rps};
            $got{ $_->{address} } = 0 + $_->{rps} for $set->{peers}->@*;
        }
    }
    return \%got;
}
my $near = sub (@words) { told('--group', 'near', '--rps', 12000, @words) };

is $near->()->{'near eu/de/a'}, 12000, 'all of it stays here while all are well';
my $half = $near->('--down', '10.0.0.1:80');
is_deeply [ @$half{ 'near eu/de/a', 'near eu/de/b' } ], [ 8400, 3600 ], 'half of them are worth 70%; the rest goes next door';
is_deeply [ @$half{ map { "10.0.0.$_:80" } 1 .. 5 } ], [ 0, 8400, 2700, 900, 0 ], 'where weights count';
is $half->{code}, 0, 'and everybody has a server';
is $near->('--down', 'eu/de/a')->{'near eu/de/b'}, 12000, 'a zone is gone';
is $near->('--down', 'eu/de')->{'near backup'}, 12000, 'two are, and the backup has it';
my $gone = $near->('--down', 'eu', '--down', '10.0.0.5:80');
is_deeply [ @$gone{ 'near none', 'code' } ], [ 12000, 2 ], 'nobody is left: and the exit code says so';

my $shared = told('--group', 'shared', '--rps', 300);
is sprintf('%.1f', $shared->{'shared eu/de/a'}), '200.0', 'half of the servers and 3/4 of the callers here: 2/3 stay';
is told('--group', 'shared', '--rps', 300, '--down', 'eu/de/a')->{'shared eu/de/b'}, 300, 'and all goes where servers are';

my ($code, $said) = $w->tool('simulate', '--down', '10.0.0.1:80', '--rps', 12000);
like $said, qr{^upstream near \(round_robin\)\n  priority 0, distance 0: 1 of 2 healthy\n    all of it +70\.00% +8400/s\n    locality eu/de/a +70\.00% +8400/s\n}m,
    'for people';
like $said, qr{^      10\.0\.0\.1:80 +failed +weight=1 +0\.00% +0/s$}m, 'with each server';
like $said, qr{^upstream shared \(least_conn\)$}m, 'and each group';

for my $case ([ [ '--down', 'us' ], 1, qr/no server is at or in "us"/ ], [ [ '--group', 'far' ], 1, qr/there is no upstream far/ ],
    [ [ '--rps', 0 ], 64, qr/invalid number "0": expected requests a second/ ], [ ['--down'], 64, qr/"--down" needs a value/ ],
    [ ['us'], 64, qr/unexpected "us": expected -c, --group, --down, --rps or --json/ ], [ [ '-c', 'conf/none.conf' ], 1, qr/none\.conf/ ])
{
    my ($words, $code, $why) = @$case;
    my @got = $w->tool('simulate', @$words);
    is $got[0], $code, "@$words: no";
    like $got[1], $why, 'and why';
}
done_testing;
