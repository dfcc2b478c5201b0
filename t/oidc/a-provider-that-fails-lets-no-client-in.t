# The provider is down, says that it is another one, has its endpoints elsewhere, is slow: nobody gets in without it, who is in stays in, and each has
# its cause.  Logins go on when it is back.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Oidc;

my $w = Weir::Test->new('a provider that fails lets no client in');
$w->needs_weir;
$w->allow_log(qr/auth\.oidc|could not be fetched|could not be asked|is not used|at another place|token endpoint/);
my %op = map { $_ => Weir::Oidc->new($w) } qw(down liar far fars none);
$op{down}->set(down => 1);
$op{liar}->set(discovery => { issuer => 'http://evil.example' });
$op{far}->set(discovery => { token_endpoint => 'http://127.0.0.2:1/token' });
$op{fars}->set(discovery => { jwks_uri => 'http://127.0.0.2:1/jwks' });
my $dead = $w->refused_peer;
$op{dead} = bless { issuer => "http://$dead", client => 'x', secret => 'y' }, 'Weir::Oidc';
$op{none}->set(discovery => { end_session_endpoint => undef, token_endpoint => undef });
my $conf = join('', map { "oidc_provider $_ { " . $op{$_}->lines("redirect_uri /$_/cb; logout_uri /$_/out;" ) . " }\n" } sort keys %op)
    . "server {\n" . join('', map { "location /$_/ { auth_oidc $_; add_header X-Cause \$weir_cause always; add_header X-Sub \$oidc_claim_sub; empty_gif; }\n" } sort keys %op) . "}\n";
$w->conf($conf, workers => 2);
my $cause = sub ($answer) { $answer->status . ' ' . ($answer->header('X-Cause') // '-') };
my $new = sub { Weir::Oidc::Browser->new($w) };
is $cause->($new->()->get("/$_/")), '502 auth.oidc.provider', "$_: no login" for qw(down liar none dead);
is $new->()->get("/$_/out")->status, 200, "$_: a logout all the same" for qw(down liar none dead);
is $cause->($new->()->login('/far/')), '502 auth.oidc.provider', 'a token endpoint at a host that is not named';
is $cause->($new->()->login('/fars/')), '502 auth.oidc.provider', 'keys at a host that is not named';

# Back.
$op{down}->set(down => undef);
my $b = $new->();
$w->wait_until('the provider is back', sub { $b->get('/down/')->status == 302 });
$b = $new->();
is $b->login('/down/')->header('X-Sub'), 'alice', 'and logins go on';
$op{down}->set(down => 1, token_closes => 1);
is $b->get('/down/')->header('X-Sub'), 'alice', "who is in stays in, $_" for 1 .. 3;
is $cause->($new->()->login('/down/')), '502 auth.oidc.token', 'who is not does not get in';

# Endpoints that are named.
$op{down}->set(down => undef, token_closes => undef);
$op{far}->set(discovery => { token_endpoint => $op{down}->issuer . '/token', jwks_uri => $op{down}->issuer . '/jwks' });
my $other = $op{down};
$w->reload(<<"END");
    oidc_provider named { @{[ $op{far}->lines("token_endpoint @{[ $other->issuer ]}/token; jwks_uri @{[ $other->issuer ]}/jwks; client_auth client_secret_post;") ]} }
    server { location / { auth_oidc named; add_header X-Cause \$weir_cause always; empty_gif; } }
END
is $cause->($new->()->login), '403 auth.oidc.code', 'endpoints at other hosts are asked when they are named (this one knows no such code)';
like +($other->asked)[-1]{client_secret}, qr/top secret/, 'with client_secret_post';
done_testing;
