# A reload in the middle of a login, a client that leaves there, an upgrade: the key of sessions is one that nobody named.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Oidc;

my $w = Weir::Test->new('a login survives reloads and upgrades');
$w->needs_weir->workers_may_change->descriptors_may_stay;
$w->time_limit(120);
$w->allow_log(qr/auth\.oidc|token endpoint|signal 9|SIGKILL|exited|client/);
my $op = Weir::Oidc->new($w);
my $conf = sub ($more = '') { <<"END" };
    oidc_provider op { @{[ $op->lines ]} }
    server { auth_oidc op; location / { add_header X-Sub \$oidc_claim_sub; add_header X-More "$more"; empty_gif; } }
END
$w->conf($conf->(), workers => 2, control => 0, main => 'upgrade_trial 20ms;');
my $b = Weir::Oidc::Browser->new($w);
my $back = $b->begin('/');
$w->reload($conf->('new'));
is $b->get($back)->status, 302, 'a login that began before a reload ends behind it';
is $b->get('/')->header('X-Sub') . $b->get('/')->header('X-More'), 'alicenew', 'with a session';
$w->reload($conf->('newer'));
is $b->get('/')->header('X-Sub'), 'alice', 'which outlives the next';

# A callback under way.
my $c = Weir::Oidc::Browser->new($w);
$back = $c->begin('/');
$op->set(token_wait => 'reload');
my $asked = $op->asked;
my $client = $w->client;
$client->send_request('GET', $back, headers => [ Cookie => $c->cookies ]);
$w->wait_until('the question', sub { $op->asked > $asked });
$w->reload($conf->('newest'));
$w->pass('reload');
$op->set(token_wait => undef);
$c->keep($client->read_response(method => 'GET'));
is $c->get('/')->header('X-Sub'), 'alice', 'a reload while the token endpoint thinks';

# A client that leaves there.
$c = Weir::Oidc::Browser->new($w);
$back = $c->begin('/');
$op->set(token_wait => 'left');
$asked = $op->asked;
$client = $w->client;
$client->send_request('GET', $back, headers => [ Cookie => $c->cookies ]);
$w->wait_until('the question', sub { $op->asked > $asked });
$client->close;
$w->pass('left');
$op->set(token_wait => undef);
is $c->clone->get('/')->status, 302, 'a client that left in a callback has no session';
is $c->login->header('X-Sub'), 'alice', 'and logs in anew';

is +($w->tool('-s', 'upgrade'))[0], 0, 'an upgrade';
$w->wait_until('another master', sub { eval { $w->taken_over } });
$w->wait_until('the one before has gone', sub { !-e $w->dir . '/logs/weir.pid.oldbin' });
is $b->get('/')->header('X-Sub'), 'alice', 'it keeps sessions, also of a key that nobody named';
done_testing;
