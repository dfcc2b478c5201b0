# resolver … status_zone= and server_tokens build: configurations of nginx have them; the first has no effect and is told of.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('parameters of nginx without effect are accepted');
$w->needs_weir;
$w->allow_log(qr{\[(?:emerg|warn)\] .*status_zone});
my ($code, $said) = $w->check_conf('resolver 127.0.0.1 status_zone=names valid=10s; server { server_tokens build; return 204; }');
is $code, 0, 'taken';
like $said, qr/\[warn\] "status_zone" of "resolver" is accepted and has no effect/, 'told of';
($code, $said) = $w->check_conf('resolver 127.0.0.1 status_zone=; server { return 204; }');
isnt $code, 0, 'one without a name is refused';
$w->conf('server { server_tokens build; return 204; }', workers => 1);
like $w->get('/')->header('Server'), qr{^weir/[0-9.]+$}, 'server_tokens build says what on says';
done_testing;
