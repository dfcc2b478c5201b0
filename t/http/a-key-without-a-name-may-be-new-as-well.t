# An issuer whose keys have no kid changes its key: the set is fetched once more for a signature that no key has made.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Jose;

my $w = Weir::Test->new('a key without a name may be new as well');
$w->needs_weir;
my @keys = map { Weir::Jose->key($w, 'ES256') } 1 .. 3;
my $issuer = $w->origin(sub ($c) { $c->request; $c->reply(200, Weir::Jose->set($c->number == 1 ? $keys[0] : @keys[0, 1])) });
$w->allow_log(qr/auth\.jwt/);
$w->conf(<<"END");
    map \$arg_off \$realm { default api; 1 off; }
    server { auth_jwt \$realm; auth_jwt_key_refresh 200ms; auth_jwt_key_request http://$issuer/; location / { empty_gif; } }
END
my $get = sub ($n, $query = '') { $w->get("/$query", Authorization => 'Bearer ' . $keys[$n]->token({ exp => time + 600 }))->status };
is $get->(0), 200, 'the first key';
is $issuer->requests, 1, '(one fetch)';
is $get->(1), 200, 'a new one';
is $issuer->requests, 2, '(one more)';
is $get->(2), 401, 'and one that is never published';
is $get->(0), 200, 'the first key is still good';
is $get->(2, '?off=1'), 200, 'where the realm becomes off nobody is asked';
done_testing;
