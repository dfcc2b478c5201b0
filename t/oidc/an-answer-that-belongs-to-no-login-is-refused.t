# The callback under attack: no cookie, another browser's, a code that was used, arguments twice, errors of the provider, id tokens that are wrong
# in each way: refused, each with its cause, and nobody gets a session.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Oidc;

my $w = Weir::Test->new('an answer that belongs to no login is refused');
$w->needs_weir;
$w->time_limit(120);
$w->allow_log(qr/auth\.oidc|token endpoint|is another place|internal\.|could not be asked/);
my $op = Weir::Oidc->new($w);
my $hs = Weir::Jose->key($w, 'HS256', kid => 'k0');
$w->conf(<<"END", workers => 2);
    oidc_provider op { @{[ $op->lines ]} }
    server {
        auth_oidc op;
        large_client_header_buffers 4 32k;
        error_page 403 /sorry;
        add_header X-Cause \$weir_cause always;
        location / { add_header X-Cause \$weir_cause always; add_header X-Sub \$oidc_claim_sub; empty_gif; }
        location = /sorry { auth_oidc off; return 403 "sorry"; }
    }
END
my $cause = sub ($answer) { $answer->status . ' ' . ($answer->header('X-Cause') // '-') };
my $new = sub { Weir::Oidc::Browser->new($w) };
my $no_session = sub ($b, $what) { ok !(grep { $_ eq 'weir_oidc_op' } keys $b->jar->%*), "$what: no session" };

# Whose answer it is.
my $b = $new->();
my $back = $b->begin('/');
is $cause->($new->()->get($back)), '403 auth.oidc.state', 'in another browser';
my $other = $new->();
$other->begin('/');
is $cause->($other->get($back)), '403 auth.oidc.state', 'in a browser with a login of its own';
my ($name) = keys $b->jar->%*;
my ($theirs) = keys $other->jar->%*;
my $mixed = $new->();
$mixed->jar->{$name} = $other->jar->{$theirs};
is $cause->($mixed->get($back)), '403 auth.oidc.state', 'with the cookie of another login under its name';
my $torn = $new->();
$torn->jar->{$name} = $b->jar->{$name} =~ s/(.)$/$1 eq 'A' ? 'B' : 'A'/er;
is $cause->($torn->get($back)), '403 auth.oidc.state', 'with a cookie that was changed';
is scalar($op->asked), 0, 'nobody has asked for tokens so far';
is $cause->($b->clone->get($back =~ s/code=/code=&cod=/r)), '400 auth.oidc.callback', 'without a code';
is $cause->($b->clone->get("$back&state=x")), '400 auth.oidc.callback', 'two states';
is $cause->($b->clone->get("$back&code=x")), '400 auth.oidc.callback', 'two codes';
is $cause->($b->clone->get("$back&error=x")), '400 auth.oidc.callback', 'a code and an error';
is $cause->($b->clone->get("$back%00")), '400 auth.oidc.callback', 'a control in a value';
is $cause->($b->clone->get($back =~ s/state=[^&]+/state=/r)), '403 auth.oidc.state', 'an empty state';
is $cause->($b->clone->request('POST', $back)), '400 auth.oidc.callback', 'POST';
is $cause->($b->clone->get('/oidc_callback')), '400 auth.oidc.callback', 'nothing at all';
is $cause->($b->clone->get("$back&iss=http%3A%2F%2Fevil")), '403 auth.oidc.issuer', 'of another issuer';
my $used = $b->clone;
my $done = $b->get($back);
is $done->status, 302, 'the browser itself';
is $b->get('/')->header('X-Sub'), 'alice', 'is in';
is $cause->($b->get($back)), '403 auth.oidc.state', 'the same address once more';
is $cause->($used->get($back)), '403 auth.oidc.code', 'the same code once more, with the cookie of then';
$no_session->($used, 'a code that was used');
is join(' ', keys $used->jar->%*), '', 'the login is over in any case';

# What the provider answers.
my $fails = sub ($what, $want, %set) {
    my $bad = $new->();
    $op->set(%set);
    my $answer = $bad->login;
    is $cause->($answer), $want, $what;
    $no_session->($bad, $what);
    $op->set(map { $_ => undef } keys %set);
};
$fails->('the user said no', '403 auth.oidc.denied', authorize => { code => undef, error => 'access_denied' });
$fails->('an error of the token endpoint', '502 auth.oidc.token', token_status => 500, token_body => '{}');
$fails->('no JSON', '502 auth.oidc.token', token_body => 'hello');
$fails->('a list', '502 auth.oidc.token', token_body => '[]');
$fails->('an object with a member twice', '502 auth.oidc.token', token_body => '{"a":1,"a":2}');
$fails->('ten megabytes', '502 auth.oidc.token', huge => 1);
$fails->('an end in the middle', '502 auth.oidc.token', token_closes => 1);
$fails->('invalid_client', '502 auth.oidc.client', token_status => 401, token_body => '{"error":"invalid_client"}');
$fails->('no id token', '502 auth.oidc.token', answer => { id_token => undef });
$fails->('no access token', '502 auth.oidc.token', answer => { access_token => undef });
$fails->('another type of token', '502 auth.oidc.token', answer => { token_type => 'mac' });
$fails->('an access token with a line end', '502 auth.oidc.token', access => "x\r\nSet-Cookie: a=b");
$fails->('an id token that is none', '502 auth.oidc.id_token', id_token => 'hello');
$fails->('an unsigned one', '502 auth.oidc.id_token', id_token => 'eyJhbGciOiJub25lIn0.e30.');
$fails->('one with the public key as a secret', '502 auth.oidc.id_token', id_token => $hs->token({ sub => 'eve' }));
$fails->('one of a key that is not published', '502 auth.oidc.id_token', key => 2);
$fails->('of another issuer', '502 auth.oidc.claims', claims => { iss => 'http://evil' });
$fails->('for another audience', '502 auth.oidc.claims', claims => { aud => 'other' });
$fails->('for two, made for nobody', '502 auth.oidc.claims', claims => { aud => [ 'weir', 'other' ] });
$fails->('for two, made for the other', '502 auth.oidc.claims', claims => { aud => [ 'weir', 'other' ], azp => 'other' });
$fails->('made for another', '502 auth.oidc.claims', claims => { azp => 'other' });
$fails->('expired', '502 auth.oidc.claims', claims => { exp => time - 3600 });
$fails->('without an end', '502 auth.oidc.claims', claims => { exp => undef });
$fails->('without a time of issue', '502 auth.oidc.claims', claims => { iat => undef });
$fails->('of the future', '502 auth.oidc.claims', claims => { iat => time + 3600 });
$fails->('without a subject', '502 auth.oidc.claims', claims => { sub => undef });
$fails->('with another at_hash', '502 auth.oidc.claims', claims => { at_hash => 'x' });
$fails->('with another nonce', '403 auth.oidc.nonce', claims => { nonce => 'x' });
$fails->('without a nonce', '403 auth.oidc.nonce', claims => { nonce => undef });
$fails->('more than fits into cookies', '502 auth.oidc.too_large', access => 'x' x 30000);

# What is right all the same.
my $passes = sub ($what, %set) {
    my $good = $new->();
    $op->set(%set);
    is $good->login->header('X-Sub'), 'alice', $what;
    $op->set(map { $_ => undef } keys %set);
};
$passes->('for two, made for this one', claims => { aud => [ 'weir', 'other' ], azp => 'weir' });
$passes->('a key that has come since', key => 1, keys => [ 0, 1 ]);
$passes->('the issuer said, too', authorize => { iss => $op->issuer });
$passes->('a large token', access => 'x' x 9000);
$passes->('at_hash', at_hash => 1);
done_testing;
