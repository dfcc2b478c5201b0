# The worker that refreshes is killed while the provider thinks: its lease ends with it, and the next request is answered, not held.
use v5.36;
use lib 't/lib';
use Weir::Oidc;
use Weir::Test;

my $w = Weir::Test->new('a worker that asks for tokens may die')->needs_weir->workers_may_change;
$w->allow_log(qr/auth\.oidc|token endpoint|signal 9|exited on signal|worker process/);
my $op = Weir::Oidc->new($w);
$w->conf(<<"END", workers => 2);
    oidc_provider op { @{[ $op->lines ]} }
    server { auth_oidc op; location / { add_header X-Token \$oidc_access_token; empty_gif; } }
END
my $b = Weir::Oidc::Browser->new($w);
$op->set(expires_in => 1, access => 'old', reuse => 1);
is $b->login->header('X-Token'), 'old', 'a session';
my $until = time + 2;
$w->wait_until('the end of its token', sub { time >= $until });
$op->set(expires_in => 3600, access => 'new', token_wait => 'go');
my $asked = $op->asked;
my $client = $w->client;
$client->send_request('GET', '/', headers => [ Cookie => $b->cookies ]);
$w->wait_until('the question', sub { $op->asked > $asked });
my @workers = $w->workers;
kill KILL => @workers;
$w->wait_until('other workers', sub { my @now = $w->workers; @now == 2 && !grep { my $pid = $_; grep { $_ == $pid } @workers } @now });
$w->pass('go');
$op->set(token_wait => undef);
is $b->get('/')->header('X-Token'), 'new', 'another worker asks again';
is $b->get('/')->header('X-Token'), 'new', 'and that is that';
done_testing;
