use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('misuse of balancing is told')->allow_log(qr{\[emerg\]});
my @cases = (
    ['locality eu//a;',                                      qr/REGION, REGION\/ZONE or REGION\/ZONE\/SUBZONE/],
    ['locality a/b/c/d;',                                    qr/REGION, REGION\/ZONE or REGION\/ZONE\/SUBZONE/],
    ['overprovisioning 0.5;',                                qr/a factor from 1 to 100/],
    ['overprovisioning 101;',                                qr/a factor from 1 to 100/],
    ['overprovisioning 1.445;',                              qr/a factor such as 1\.4/],
    ['overprovisioning 1.;',                                 qr/a factor such as 1\.4/],
    ['overprovisioning much;',                               qr/a factor such as 1\.4/],
    ['upstream u { hash $arg_k consistently; server 127.0.0.1:1; }', qr/invalid value "consistently" in "hash" directive: expected consistent/],
    ['upstream u { hash $nothing; server 127.0.0.1:1; }',    qr/unknown "nothing" variable/],
    ['upstream u { hash $arg_k; ip_hash; server 127.0.0.1:1; }', qr/has two ways to choose its servers: (?:hash and ip_hash|ip_hash and hash)/],
    ['upstream u { random one; server 127.0.0.1:1; }',       qr/invalid value "one" in "random" directive: expected two/],
    ['upstream u { random two least; server 127.0.0.1:1; }', qr/invalid value "least" in "random" directive: expected least_conn/],
    ['upstream u { random; least_conn; server 127.0.0.1:1; }', qr/has two ways to choose its servers: /],
    ['upstream u { server 127.0.0.1:1 priority=129; }',      qr/invalid parameter "priority=129"/],
    ['upstream u { server 127.0.0.1:1 priority=-1; }',       qr/invalid parameter "priority=-1"/],
    ['upstream u { server 127.0.0.1:1 locality=eu/; }',      qr/invalid parameter "locality=eu\/"/],
);
for my $case (@cases) {
    my ($text, $why) = @$case;
    my ($code, $said) = $w->check_conf("$text server { location / { return 200; } }");
    is $code, 1, "refused: $text";
    like $said, $why, 'and says why';
}
done_testing;
