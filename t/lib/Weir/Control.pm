package Weir::Control;
# A client of the control socket: HTTP/1.1 with JSON on a unix socket, requests one behind the other if need be.
#
#     my $control = $w->control_client;
#     my ($status, $answer) = $control->ask(POST => '/v1/upstreams/api/servers', { server => '10.0.0.1:80' });
#     $control->send(GET => '/v1'); $control->send(GET => '/v1/upstreams'); ... $control->read; $control->read;
use v5.36;
use IO::Socket::UNIX;
use JSON::PP ();
use Socket qw(SOCK_STREAM);
use Weir::Wire;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub connect ($class, $path) {
    my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) or die "$path: $!\n";
    return bless { socket => $socket, in => '' }, $class;
}

sub socket ($self) { $self->{socket} }

sub encode ($class, $method, $path, $body = undef, %fields) {
    my $text = defined $body ? ref $body ? $json->encode($body) : $body : '';
    my $head = join '', map { "$_: $fields{$_}\r\n" } sort keys %fields;
    $head .= 'Content-Length: ' . length($text) . "\r\n" if defined $body;
    return "$method $path HTTP/1.1\r\nHost: weir\r\n$head\r\n$text";
}

# Whole, or dies: bytes as they are.
sub write ($self, $bytes) {
    my $at = 0;
    while ($at < length $bytes) {
        my $n = syswrite $self->{socket}, $bytes, length($bytes) - $at, $at;
        die "write: $!\n" unless defined $n;
        $at += $n;
    }
    return $self;
}

sub send ($self, @request) { $self->write((ref $self)->encode(@request)) }

sub _fill ($self) {
    my $vector = '';
    vec($vector, fileno $self->{socket}, 1) = 1;
    die "deadline: no answer of the control socket\n" unless select $vector, undef, undef, $Weir::Wire::DEADLINE;
    return sysread $self->{socket}, $self->{in}, 65536, length $self->{in};
}

# The next answer: (status, what its JSON says, its fields in lower case); () at the end.
sub read ($self, %arg) {
    my $end;
    until (($end = index $self->{in}, "\r\n\r\n") >= 0) { $self->_fill or return }
    my $head = substr $self->{in}, 0, $end + 4, '';
    my ($status) = $head =~ m{\AHTTP/1\.1 (\d{3}) } or die "no head: $head\n";
    my %fields = map { lc((split /: /, $_, 2)[0]) => (split /: /, $_, 2)[1] } grep { /:/ } split /\r\n/, $head;
    return ($status, undef, \%fields) if $status == 100;
    my $length = $arg{is_head} ? 0 : $fields{'content-length'};
    while (length $self->{in} < $length) { $self->_fill or die "the answer is cut\n" }
    my $body = substr $self->{in}, 0, $length, '';
    return ($status, $length ? $json->decode($body) : undef, \%fields);
}

sub ask ($self, @request) { $self->send(@request); return $self->read(is_head => $request[0] eq 'HEAD') }

# Is the connection at its end?
sub is_ended ($self) { return $self->{in} eq '' && !$self->_fill }

1;
