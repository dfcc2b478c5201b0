# Options of outlier_detection that are none, stand twice, or would have no effect are errors that say so.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('what outlier_detection cannot judge is refused')->needs_weir;
$w->allow_log(qr/\[emerg\]/);
for my $case (
    [ 'consecutive_5xx=x',               qr/invalid value "consecutive_5xx=x".*a number up to 1000000/ ],
    [ 'consecutive_5xx=1000001',         qr/a number up to 1000000/ ],
    [ 'consecutive_6xx=1',               qr/invalid parameter "consecutive_6xx=1", did you mean "consecutive_5xx"\?/ ],
    [ 'split=on',                        qr/invalid parameter "split=on"/ ],
    [ 'consecutive_5xx=1 consecutive_5xx=2', qr/"consecutive_5xx" stands twice/ ],
    [ 'consecutive_local_origin=3',      qr/"consecutive_local_origin" has no effect without "split"/ ],
    [ 'latency_hosts=3',                 qr/"latency_hosts" has no effect without "latency"/ ],
    [ 'success_rate=off success_rate_hosts=3', qr/"success_rate_hosts" has no effect without "success_rate"/ ],
    [ 'failure_percentage=101%',         qr/a percentage such as 85%/ ],
    [ 'failure_percentage=50',           qr/a percentage such as 85%/ ],
    [ 'latency=1',                       qr/a factor above 1/ ],
    [ 'success_rate=1.9999',             qr/a factor such as 1\.9/ ],
    [ 'interval=0',                      qr/a time such as 30s/ ],
    [ 'max_ejection=10',                 qr/a percentage such as 10%/ ],
    [ 'always_eject_one=yes',            qr/on or off/ ],
    [ 'consecutive_5xx=0 success_rate=off', qr/judges nothing/ ],
    )
{
    my ($code, $said) = $w->check_conf("upstream u { server 127.0.0.1:1; outlier_detection $case->[0]; } server { location / { return 204; } }");
    isnt $code, 0, "$case->[0] is refused";
    like $said, $case->[1], '… and why';
    like $said, qr/weir\.conf:\d+/, '… and where';
}
my ($code, $said) = $w->check_conf('upstream u { server 127.0.0.1:1; outlier_detection; } server { location / { return 204; } }');
is $code, 0, 'with nothing said it is taken' or diag $said;
done_testing;
