# Refresh: when the access token is over, all requests of a browser at that time wait for one question, whichever worker has them; who comes later
# with the old cookie gets the session that came out; a client that leaves in the middle loses nothing; no means logging in again.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Oidc;

my $w = Weir::Test->new('new tokens are asked for once');
$w->needs_weir;
$w->time_limit(120);
$w->allow_log(qr/auth\.oidc|token endpoint|client\.gone|closed/);
my $op = Weir::Oidc->new($w);
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->header('Authorization') // '-', 'Cache-Control', 'public, max-age=60') });
$w->conf(<<"END", workers => 2);
    oidc_provider op { @{[ $op->lines ]} }
    server {
        auth_oidc op;
        location / { proxy_set_header Authorization \$oidc_access_token; add_header X-Cause \$weir_cause always; proxy_pass http://$origin; }
    }
END
my $short = sub {
    my $b = Weir::Oidc::Browser->new($w);
    $op->set(expires_in => 1, access => 'old');
    is $b->login->body, 'old', 'a session whose access token is short-lived';
    my $until = time + 2;
    $w->wait_until('its end', sub { time >= $until });
    $op->set(expires_in => 3600, access => undef);
    return $b;
};
my $b = $short->();
my $asked = $op->asked;
my $old = $b->clone;
$op->set(token_wait => 'go');
my @children = map { my $n = $_; $w->child(sub {
    my $mine = $b->clone;
    my $answer = $mine->get("/$n");
    print STDERR $answer->status, ' ', $answer->body, ' ', $mine->session, "\n";
}) } 1 .. 12;
$w->wait_until('the question', sub { $op->asked > $asked });
$w->pass('go');
my @said = map { ($_->(30))[1] } @children;
my %said = map { $_ => 1 } @said;
is scalar(keys %said), 1, 'twelve at one time: all have the same new session';
like $said[0], qr/^200 at-/, 'and its new access token';
is scalar($op->asked), $asked + 1, 'which was asked for once';
is +($op->asked)[-1]{grant_type}, 'refresh_token', 'with the refresh token';
$op->set(token_wait => undef);
my $late = $old->get('/');
like $late->body, qr/^at-/, 'who comes later with the old cookie gets it, too';
is scalar($op->asked), $asked + 1, 'without a question';
like join('|', $late->header('Cache-Control')), qr/public, max-age=60.*no-cache="Set-Cookie"/, 'what the peer says of caching stays, but no cache keeps the cookie';
is scalar($old->get('/')->header('Set-Cookie')), undef, 'the new one is good for a while';

# The client leaves while the provider thinks.
$b = $short->();
$asked = $op->asked;
$op->set(token_wait => 'left');
my $client = $w->client;
$client->send_request('GET', '/', headers => [ Cookie => $b->cookies ]);
$w->wait_until('the question', sub { $op->asked > $asked });
$client->close;
$w->pass('left');
$op->set(token_wait => undef);
like $b->get('/')->body, qr/^at-/, 'a client that left in the middle: the next request has the new tokens';
is scalar($op->asked), $asked + 1, 'of the same question';

# No more tokens.
$b = $short->();
$op->set(token_status => 400, token_body => '{"error":"invalid_grant"}');
my $answer = $b->get('/');
is $answer->status, 302, 'the provider has ended the session: off to log in';
ok !exists $b->jar->{weir_oidc_op}, 'and its cookie is gone';
$op->set(token_status => undef, token_body => undef);

# It is down.
$b = $short->();
$op->set(token_closes => 1);
$answer = $b->get('/');
is $answer->status . ' ' . $answer->header('X-Cause'), '503 auth.oidc.refresh', 'the provider is down: nobody is let in';
ok exists $b->jar->{weir_oidc_op}, 'and nobody is logged out';
$op->set(token_closes => undef);
$w->wait_until('it is asked again', sub { $b->get('/')->body =~ /^at-/ });

# Another user, who comes out of a refresh.
$b = $short->();
$op->set(claims => { sub => 'eve' });
is $b->get('/')->status, 302, 'tokens of another subject end the session';
$op->set(claims => undef);

$b = $short->();
$op->set(answer => { id_token => undef, refresh_token => undef });
like $b->get('/')->body, qr/^at-/, 'a new access token alone will do';
done_testing;
