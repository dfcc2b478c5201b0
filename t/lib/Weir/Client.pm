# Weir::Client - a scripted HTTP client: sends exactly the bytes it is told, reads answers by the letter.
#
# Made by $w->client; a failed connect, a deadline or an answer with two meanings is an exception, which fails the test.
package Weir::Client;
use v5.36;
use parent 'Weir::Wire';

use IO::Socket::IP;
use IO::Socket::UNIX;
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use Time::HiRes ();

sub open ($class, %arg) {
    my $fh = defined $arg{unix}
        ? IO::Socket::UNIX->new(Peer => $arg{unix})
        : IO::Socket::IP->new(PeerHost => $arg{host} // '127.0.0.1', PeerPort => $arg{port}, Type => SOCK_STREAM,
            $arg{from} ? (LocalHost => $arg{from}) : (),
            $arg{rcvbuf} ? (Sockopts => [ [ SOL_SOCKET, SO_RCVBUF, $arg{rcvbuf} ] ]) : ());
    die sprintf "connect to %s: %s\n", $arg{unix} // $arg{port}, $@ || $! unless $fh;
    setsockopt $fh, IPPROTO_TCP, TCP_NODELAY, 1 unless defined $arg{unix};
    return $class->new($fh, %arg);
}

# Returns itself, so that a read can follow; what the other side no longer takes is not an error.
sub send ($self, $bytes) {
    $self->write($bytes);
    return $self;
}

# In two segments, cut after `at` bytes; Weir has a moment to see the first alone.
sub send_split ($self, $bytes, $at) {
    $self->write(substr $bytes, 0, $at);
    Time::HiRes::sleep(0.001);
    $self->write(substr $bytes, $at);
    return $self;
}

# One byte a segment.
sub send_dribbled ($self, $bytes) {
    for my $byte (split //, $bytes) {
        $self->write($byte) or last;
        Time::HiRes::sleep(0.0005);
    }
    return $self;
}

# A well-formed request on this connection, without reading the answer.
sub send_request ($self, $method, $target, %arg) {
    return $self->send(request_text($method, $target, %arg));
}

# headers => [ name, value, … ], body => bytes (Content-Length is added), host => 'localhost'
sub request_text ($method, $target, %arg) {
    my @headers = ($arg{headers} // [])->@*;
    my $text    = "$method $target HTTP/1.1\r\nHost: " . ($arg{host} // 'localhost') . "\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) {
        $text .= "$name: $value\r\n";
    }
    $text .= 'Content-Length: ' . length($arg{body}) . "\r\n" if defined $arg{body};
    return "$text\r\n" . ($arg{body} // '');
}

# A request and its answer; the connection stays open.
sub get ($self, $target, @headers) { $self->send_request('GET', $target, headers => \@headers)->read_response }

# Waits for the end of the connection; false when a byte comes instead.
sub at_eof ($self) {
    return 0 if length $self->{in};
    1 while !$self->{eof} && !length $self->{in} && $self->fill;
    return length $self->{in} ? 0 : 1;
}

# Every response up to the end of the connection.  methods: of the requests, in order, when some are HEAD.
sub read_responses ($self, @methods) {
    my @all;
    until ($self->at_eof) {
        push @all, $self->read_response(method => shift @methods);
        last if $all[-1]->status == 101;
    }
    return @all;
}

sub local_port ($self) { $self->fh->sockport }

1;
