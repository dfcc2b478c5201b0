use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('misuse of plan_limit is told')->needs_weir->allow_log(qr{\[emerg\]});
for my $wrong (
    [ 'server { plan_limit; }', qr/needs a "plan_limit_zone"/ ], [ 'plan_limit_zone a:1m; server { plan_limit zone=b; }', qr/no zone "b"/ ],
    [ 'plan_limit_zone a:1m; plan_limit_zone b:1m; server { plan_limit; }', qr/there are several/ ], [ 'plan_limit_zone a:1k;', qr/too small/ ],
    [ 'plan_limit_zone a;', qr/expected name:size/ ], [ 'plan_limit_zone a:1m; plan_limit_zone a:1m;', qr/duplicate zone/ ],
    [ 'plan_limit_zone a:1m; server { plan_limit scop=x; }', qr/"scop=x".*expected zone=name, scope=text or off/ ],
    [ 'plan_limit_zone a:1m timezone=Nowhere;', qr/time zone "Nowhere"/ ])
{
    my ($code, $said) = $w->check_conf("http { $wrong->[0] }", main => "store_path store;\n");
    like $said, $wrong->[1], $wrong->[0];
}
my ($code, $said) = $w->check_conf('http { plan_limit_zone a:1m; server { plan_limit; } }');
like $said, qr/"plan_limit_zone" needs "store_path"/, 'without a store';
($code, $said) = $w->check_conf('http { plan_limit_zone a:1m; plan_limit; server { location / { plan_limit off; return 200; } } }', main => "store_path store;\n");
is $code, 0, 'one zone needs no name' or diag $said;
done_testing;
