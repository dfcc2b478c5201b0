# Weir::OAuth2 - an authorization server's introspection endpoint, written against RFC 7662 (and RFC 6749 §2.3.1 for its clients).
#
#     my $server = Weir::OAuth2->server($w, id => 'weir', secret => 's', method => 'basic');
#     $server->tokens(good => { active => \1, scope => 'read' }, odd => 'text of an answer', gone => undef);
#     $server->close_gate; … $server->wait_asked(1); $server->open_gate       # answers wait meanwhile
#     $server->asked                                                         # tokens that were asked for, in order
#
# What is not as the RFCs say is answered with an error, and noted.
package Weir::OAuth2;
use v5.36;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use Time::HiRes ();

use overload '""' => sub ($self, @) { "$self->{origin}" };

my $json = JSON::PP->new->canonical;

sub server ($class, $w, %arg) {
    my $self = bless { id => 'weir', secret => 'a secret', method => 'basic', %arg, file => $w->dir . '/tokens-' . ++state $n }, $class;

    $self->tokens;
    $self->{origin} = $w->origin(sub ($c) { $self->_answer($c) });
    return $self;
}

sub tokens ($self, %tokens) {
    $self->_write('', $json->encode(\%tokens));
    return $self;
}

sub _write ($self, $suffix, $text) {
    open my $out, '>', "$self->{file}$suffix.new" or die $!;
    print $out $text;
    close $out;
    rename "$self->{file}$suffix.new", "$self->{file}$suffix" or die $!;
}

sub close_gate ($self) { $self->_write('.gate', '') }
sub open_gate ($self)  { unlink "$self->{file}.gate" }
sub asked ($self)      { map { /^asked (.*)/ ? $1 : () } $self->{origin}->notes }
sub wrong ($self)      { map { /^wrong (.*)/ ? $1 : () } $self->{origin}->notes }
sub wait_asked ($self, $n) { $self->{origin}->wait_requests($n) }
sub origin ($self)     { $self->{origin} }

sub _error ($self, $c, $status, $error, @fields) {
    $c->note("wrong $error");
    $c->reply($status, $json->encode({ error => $error }), 'Content-Type' => 'application/json', @fields);
}

sub _plain ($text) { $text =~ tr/+/ /r =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger }

sub _answer ($self, $c) {
    my $r = $c->request;
    my %form;

    return $self->_error($c, 405, 'method', Allow => 'POST') if $r->method ne 'POST';
    return $self->_error($c, 400, 'content type') if ($r->header('Content-Type') // '') ne 'application/x-www-form-urlencoded';
    return $self->_error($c, 406, 'accept') if ($r->header('Accept') // '') !~ m{application/json};
    for (split /&/, $r->body) {
        my ($name, $value) = map { _plain($_) } split /=/, $_, 2;
        return $self->_error($c, 400, 'invalid_request') if exists $form{$name};
        $form{$name} = $value;
    }
    my ($id, $secret) = @form{qw(client_id client_secret)};
    if ($self->{method} eq 'basic') {
        return $self->_error($c, 400, 'two ways of authentication') if defined $secret;
        my ($coded) = ($r->header('Authorization') // '') =~ /^Basic (\S+)\z/;
        ($id, $secret) = map { _plain($_) } split /:/, decode_base64($coded // ''), 2;
    }
    return $self->_error($c, 401, 'invalid_client', 'WWW-Authenticate' => 'Basic realm="as"')
        if ($id // '') ne $self->{id} || ($secret // '') ne $self->{secret};
    return $self->_error($c, 400, 'invalid_request') unless length($form{token} // '');
    $c->note("asked $form{token}");
    Time::HiRes::sleep(0.01) while -e "$self->{file}.gate";
    open my $in, '<', $self->{file} or die $!;
    my $all = $json->decode(do { local $/; <$in> });
    my $found = $all->{$form{token}} // { active => JSON::PP::false };
    return $c->reply($1, '', 'Content-Type' => 'text/plain') if !ref $found && $found =~ /^status (\d+)\z/;
    $c->reply(200, ref $found ? $json->encode($found) : $found, 'Content-Type' => 'application/json', 'Cache-Control' => 'no-store');
}

1;
