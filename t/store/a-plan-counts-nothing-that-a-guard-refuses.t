# plan_limit is the last of the access phase: whom require, a quota or the plans of an API refuse costs the client's plan nothing.
use v5.36;
use lib 't/lib';
use Weir::Store;
use Weir::Test;

my $w = Weir::Test->new('a plan counts nothing that a guard refuses')->needs_weir;
Weir::Store::not_at_the_end_of_a_month();
$w->allow_log(qr/limit\.|access\.|require|quota/);
$w->conf(<<"END", main => "store_path store;\n", workers => 1);
http {
    plan_limit_zone plans:1m;
    quota_zone \$arg_who zone=small:1m per=month;
    server {
        plan_limit zone=plans;
        anonymous plan=free key=\$arg_who;
        location /require { require \$arg_ok = yes; empty_gif; }
        location /quota { quota zone=small limit=1; empty_gif; }
        location /plain { empty_gif; }
    }
}
END
my ($code, $said) = $w->tool(qw(plan add free month=2));
is "$code$said", '0', 'a plan';
my $ask = sub ($target) { $w->get($target)->status };
is $ask->('/require?who=a&ok=no'), 403, "refused by require, $_" for 1 .. 4;
is $ask->('/plain?who=a'), 200, "one of two, $_" for 1 .. 2;
is $ask->('/plain?who=a'), 429, '… and no more';
is $ask->('/quota?who=b'), 200, 'one of two';
is $ask->('/quota?who=b'), 429, "refused by a quota, $_" for 1 .. 4;
is $ask->('/plain?who=b'), 200, 'two of two';
is $ask->('/plain?who=b'), 429, '… and no more';
done_testing;
