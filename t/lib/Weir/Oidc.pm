# Weir::Oidc - a small OpenID provider for tests, as good or as bad as a test wants it, and a browser with cookies.
#
#     my $op = Weir::Oidc->new($w);                       # an origin: discovery, authorize, token, jwks, logout
#     $w->conf("oidc_provider op { " . $op->lines . " } server { auth_oidc op; … }");
#     $op->set(claims => { nonce => 'x' });               # from now on; claims that are undef are left out
#     my $b = Weir::Oidc::Browser->new($w);
#     $b->login('/path')                                  # to the provider and back; the last answer
#     $b->get('/path', 'X-Field', 'value')                # one request with the cookies, which it then keeps
#
# What may be set: claims, header (of the id token), key (its index), keys (published indices), expires_in, no_refresh,
# token_status, token_body, token_wait (a barrier), authorize (arguments of the answer), discovery (members), huge, at_hash,
# access (the access token), reuse (a refresh token may be used again), end_session.
package Weir::Oidc;
use v5.36;

use Digest::SHA qw(sha256);
use Fcntl qw(:flock);
use JSON::PP ();
use MIME::Base64 qw(decode_base64 encode_base64url);
use Weir::Jose;
use Weir::Server;

my $json = JSON::PP->new->canonical->utf8;

sub unescape ($text) { $text =~ tr/+/ /; $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger }
sub escape ($text)   { $text =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger }
sub form ($text)     { map { my ($n, $v) = split /=/, $_, 2; (unescape($n) => unescape($v // '')) } split /&/, $text // '' }

sub _secret () { open my $in, '<:raw', '/dev/urandom' or die; sysread $in, my $bytes, 18; return encode_base64url($bytes) }

sub new ($class, $w, %arg) {
    my $self = bless { w => $w, dir => $w->dir . '/oidc-' . ++$w->{oidc_providers}, client => 'weir', secret => 'top secret+%', %arg }, $class;
    mkdir $self->{dir} or die "$self->{dir}: $!";
    $self->{keys} //= [ map { Weir::Jose->key($w, 'ES256', kid => "k$_") } 0 .. 2 ];
    $self->{jwks} = [ map { $_->jwk } $self->{keys}->@* ];
    $self->_write('set', $json->encode({}));
    $self->{origin} = $w->origin(sub ($c) { $self->_serve($c) });
    return $self;
}

sub origin ($self) { $self->{origin} }
sub port ($self)   { $self->{origin}->port }
sub issuer ($self) { $self->{issuer} // "http://$self->{origin}" }
sub lines ($self, $more = '') { "issuer " . $self->issuer . "; client_id $self->{client}; client_secret '$self->{secret}'; $more" }

# The requests that reached its token endpoint, as forms.
sub asked ($self) { map { $json->decode($_ =~ s/^token //r) } grep { /^token / } $self->{origin}->notes }

sub _write ($self, $name, $text) {
    open my $out, '>:raw', "$self->{dir}/$name.new" or die $!;
    print $out $text;
    close $out;
    rename "$self->{dir}/$name.new", "$self->{dir}/$name" or die $!;
}
sub _read ($self, $name) { return -e "$self->{dir}/$name" ? Weir::Server::slurp("$self->{dir}/$name") : undef }
sub _take ($self, $name) {                 # once
    my $text = $self->_read($name);
    return defined $text && unlink("$self->{dir}/$name") ? $json->decode($text) : undef;
}

sub set ($self, %new) {
    my $now = $json->decode($self->_read('set'));
    defined $new{$_} ? ($now->{$_} = $new{$_}) : delete $now->{$_} for keys %new;
    $self->_write('set', $json->encode($now));
    return $self;
}

sub _serve ($self, $c) {
    my ($path, $query) = split /\?/, $c->request->target, 2;
    $self->{issuer} //= 'http://' . $c->request->header('Host');       # (this process was forked before it had an address)
    my $set = $json->decode($self->_read('set'));
    my %by = ('/.well-known/openid-configuration' => \&_discovery, '/authorize' => \&_authorize, '/token' => \&_token,
        '/jwks' => \&_jwks, '/logout' => sub ($self, $c, $set, $query) { $c->reply(200, "logged out $query") });
    my $serve = $by{$path} or return $c->reply(404, 'no such page');
    return $self->$serve($c, $set, $query // '');
}

sub _discovery ($self, $c, $set, $) {
    my $at = $self->issuer;
    return $c->reply(503, 'down') if $set->{down};
    my %says = (issuer => $at, authorization_endpoint => "$at/authorize", token_endpoint => "$at/token", jwks_uri => "$at/jwks",
        end_session_endpoint => "$at/logout", ($set->{discovery} // {})->%*);
    delete @says{ grep { !defined $says{$_} } keys %says };
    $c->reply(200, $json->encode(\%says), 'Content-Type', 'application/json', 'Cache-Control', 'max-age=3600');
}

sub _jwks ($self, $c, $set, $) {
    $c->reply(200, Weir::Jose->set(map { $self->{jwks}[$_] } ($set->{keys} // [0])->@*), 'Content-Type', 'application/jwk-set+json');
}

sub _authorize ($self, $c, $set, $query) {
    my %ask  = form($query);
    my $code = _secret();
    $self->_write("code-$code", $json->encode(\%ask));
    my %answer = (code => $code, state => $ask{state}, ($set->{authorize} // {})->%*);
    my $args = join '&', map { "$_=" . escape($answer{$_}) } grep { defined $answer{$_} } sort keys %answer;
    $c->reply(302, '', 'Location', "$ask{redirect_uri}?$args");
}

sub _client_of ($c, $form) {
    my ($basic) = ($c->request->header('Authorization') // '') =~ /^Basic (\S+)$/;
    return join ':', map { unescape($_) } split /:/, decode_base64($basic), 2 if defined $basic;
    return ($form->{client_id} // '') . ':' . ($form->{client_secret} // '');
}

sub _refuse ($c, $error) { $c->reply(400, $json->encode({ error => $error }), 'Content-Type', 'application/json') }

sub _token ($self, $c, $set, $) {
    my %form = form($c->request->body);
    my $client = _client_of($c, \%form);
    my $grant;
    $c->note('token ' . $json->encode({ %form, client => $client }));
    $c->wait_for($set->{token_wait}) if defined $set->{token_wait};
    return $c->close if $set->{token_closes};
    return $c->reply(200, '{"x":"' . 'y' x (10 << 20) . '"}', 'Content-Type', 'application/json') if $set->{huge};
    return $c->reply($set->{token_status} // 200, $set->{token_body}, 'Content-Type', 'application/json') if defined $set->{token_body};
    return $c->reply(401, '{"error":"invalid_client"}', 'Content-Type', 'application/json', 'WWW-Authenticate', 'Basic') if $client ne "$self->{client}:$self->{secret}";
    if (($form{grant_type} // '') eq 'authorization_code') {
        $grant = $self->_take('code-' . ($form{code} // '') =~ s/[^A-Za-z0-9_-]//gr) or return _refuse($c, 'invalid_grant');
        return _refuse($c, 'invalid_grant') if $grant->{redirect_uri} ne ($form{redirect_uri} // '');
        return _refuse($c, 'invalid_grant') if defined $grant->{code_challenge} && $grant->{code_challenge} ne encode_base64url(sha256($form{code_verifier} // ''));
    } elsif (($form{grant_type} // '') eq 'refresh_token') {
        my $name = 'refresh-' . ($form{refresh_token} // '') =~ s/[^A-Za-z0-9_-]//gr;
        $grant = $set->{reuse} ? $json->decode($self->_read($name) // 'null') : $self->_take($name);
        return _refuse($c, 'invalid_grant') unless $grant;
    } else {
        return _refuse($c, 'unsupported_grant_type');
    }
    return $self->_tokens($c, $set, $grant);
}

sub _tokens ($self, $c, $set, $grant) {
    my $access = $set->{access} // 'at-' . _secret();
    my %answer = (access_token => $access, token_type => 'Bearer', expires_in => $set->{expires_in} // 3600);
    my %claims = (iss => $self->issuer, aud => $self->{client}, sub => 'alice', iat => time, exp => time + 300, nonce => $grant->{nonce},
        ($set->{at_hash} ? (at_hash => encode_base64url(substr sha256($access), 0, 16)) : ()), ($set->{claims} // {})->%*);
    delete @claims{ grep { !defined $claims{$_} } keys %claims };
    my $key = $self->{keys}[ $set->{key} // 0 ];
    $answer{id_token} = $set->{id_token} // $key->token(\%claims, header => $set->{header} // {});
    unless ($set->{no_refresh}) {
        $answer{refresh_token} = 'rt-' . _secret();
        $self->_write("refresh-$answer{refresh_token}", $json->encode($grant));
    }
    %answer = (%answer, ($set->{answer} // {})->%*);
    delete @answer{ grep { !defined $answer{$_} } keys %answer };
    $c->reply(200, $json->encode(\%answer), 'Content-Type', 'application/json', 'Cache-Control', 'no-store');
}

package Weir::Oidc::Browser;
use v5.36;

sub new ($class, $w, %arg) { bless { w => $w, jar => {}, %arg }, $class }
sub jar ($self)           { $self->{jar} }
sub cookies ($self)       { join '; ', map { "$_=$self->{jar}{$_}" } sort keys $self->{jar}->%* }
sub clone ($self)         { bless { %$self, jar => { $self->{jar}->%* } }, ref $self }
sub session ($self)       { map { $self->{jar}{$_} } grep { !/-login\./ } sort keys $self->{jar}->%* }

sub keep ($self, $answer) {
    for my $field ($answer->header('Set-Cookie')) {
        my ($name, $value) = $field =~ /^([^=]+)=([^;]*)/ or die "no cookie: $field";
        $field =~ /Max-Age=0/ ? delete $self->{jar}{$name} : ($self->{jar}{$name} = $value);
    }
    return $answer;
}

sub request ($self, $method, $path, @headers) {
    push @headers, 'Cookie', $self->cookies if $self->{jar}->%*;
    my $answer = $self->{ask} ? $self->{ask}->($method, $path, @headers) : $self->{w}->request($method, $path, headers => \@headers);
    return $self->keep($answer);
}

sub get ($self, $path, @headers) { $self->request('GET', $path, @headers) }

# What the provider's login says: where it sends the browser.
sub at_provider ($self, $location) {
    my ($port, $target) = $location =~ m{^http://127\.0\.0\.1:(\d+)(/.*)} or die "not at the provider: $location";
    return scalar $self->{w}->request('GET', $target, port => $port)->header('Location');
}

sub path_of ($location) { $location =~ s{^https?://[^/]+}{}r }

# Begins a login; the address to come back to.
sub begin ($self, $path, @headers) {
    my $answer = $self->get($path, @headers);
    die 'no redirect: ' . $answer->status . ' ' . $answer->body unless $answer->status == 302;
    return path_of($self->at_provider(scalar $answer->header('Location')));
}

# All of it: the answer at the end.
sub login ($self, $path = '/') {
    my $answer = $self->get($self->begin($path));
    return $answer unless $answer->status == 302;
    return $self->get(path_of(scalar $answer->header('Location')));
}

1;
