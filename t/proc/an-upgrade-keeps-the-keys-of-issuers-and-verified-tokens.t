# What auth_jwt has in shared memory outlives the program: the issuer is not asked again, also when it is down, and what was verified is known.
use v5.36;
use lib 't/lib';
use Weir::Jose;
use Weir::Test;

my $w = Weir::Test->new('an upgrade keeps the keys of issuers and verified tokens')->needs_weir->workers_may_change->descriptors_may_stay;
my $key = Weir::Jose->key($w, 'ES256', kid => 'a');
my $issuer = $w->origin(sub ($c) { $c->request; $c->number == 1 ? $c->reply(200, Weir::Jose->set($key)) : $c->reply(503, 'down') });
$w->allow_log(qr/auth\.jwt/);
$w->conf("server { auth_jwt api; auth_jwt_key_request http://$issuer/; location / { empty_gif; } }", control => 0, main => 'upgrade_trial 20ms;');
my $token = $key->token({ exp => time + 600 });
my $get = sub { $w->get('/', Authorization => "Bearer $token")->status };
my $kept = sub { my ($code, $said) = $w->tool('zones'); join ' ', map { /^(jwt-\S+).*?entries=(\d+)/ ? "$1=$2" : () } split /\n/, $said };
is $get->(), 200, 'before';
my $before = $kept->();
like $before, qr/jwt-keys=\d/, 'keys are there';
like $before, qr/jwt-verified=1/, 'so is what was verified';
is +($w->tool('-s', 'upgrade'))[0], 0, 'an upgrade';
$w->wait_until('another master', sub { eval { $w->taken_over } });
$w->wait_until('the one before has gone', sub { !-e $w->dir . '/logs/weir.pid.oldbin' });
is $get->(), 200, 'behind it';
is $kept->(), $before, 'the same is there';
is $issuer->requests, 1, 'the issuer was asked once';
$w->reload;
is $get->(), 200, 'and behind a reload';
is $issuer->requests, 1, '… as well';
done_testing;
