# Weir::Wire - a socket read with a deadline, and HTTP/1.1 read off it by the letter of RFC 9112.
#
# Both ends of every test read with it: the scripted origin what Weir sends up, the scripted client what Weir sends down. It shares
# no code with Weir and forgives nothing: what two readers may read differently is an error, so that a message which passes has one
# meaning (oracles O1 and O3 of the attack catalogue). Errors are exceptions: "deadline: …", "eof: …", "ambiguous: …".
package Weir::Wire;
use v5.36;

use Errno qw(EAGAIN EINTR ECONNRESET EPIPE);
use IO::Handle;
use IO::Select;
use Socket;
use Time::HiRes qw(time);
use Weir::Message;

our $DEADLINE = 10;                        # seconds that anything may take

my $token = qr/[!#\$%&'*+.^_`|~0-9A-Za-z-]+/;
my $path  = qr{/(?:[A-Za-z0-9._~!\$&'()*+,;=:\@/-]|%[0-9A-Fa-f]{2})*};
my $query = qr{\?[\x21\x22\x24-\x7e]*};

sub new ($class, $fh, %arg) {
    $fh->blocking(0);
    binmode $fh;
    return bless { fh => $fh, in => '', on_bytes => $arg{on_bytes}, deadline => $arg{deadline} // $DEADLINE }, $class;
}

sub fh ($self)       { $self->{fh} }
sub is_open ($self)  { defined $self->{fh} }
sub was_reset ($self){ $self->{reset} ? 1 : 0 }
sub buffered ($self) { $self->{in} }
sub eof ($self)      { $self->{eof} ? 1 : 0 }

# -- bytes --

# More bytes into the buffer: true, or false when the other side has closed or reset.
sub fill ($self, $until = time + $self->{deadline}) {
    return 0 if $self->{eof};
    my $bytes = $self->_receive($until);
    if (defined $bytes) {
        $self->{in} .= $bytes;
        return 1;
    }
    $self->{eof} = 1;
    return 0;
}

# What came off the socket; undef at its end.
sub _receive ($self, $until) {
    die "eof: this side has closed\n" unless $self->{fh};
    while (1) {
        my $n = sysread $self->{fh}, my $bytes, 262144;
        if ($n) {
            $self->{on_bytes}->($bytes) if $self->{on_bytes};
            return $bytes;
        }
        return undef if defined $n;
        if ($! == ECONNRESET || $! == EPIPE) {
            $self->{reset} = 1;
            return undef;
        }
        die "read: $!\n" unless $! == EAGAIN || $! == EINTR;
        my $left = $until - time;
        die sprintf "deadline: nothing came for %s s; unread: %s\n", $self->{deadline},
            Weir::Message::show($self->{in}) if $left <= 0;
        IO::Select->new($self->{fh})->can_read($left);
    }
}

# All of the bytes; false when the other side no longer takes them.
sub write ($self, $bytes) {
    local $SIG{PIPE} = 'IGNORE';
    my $until = time + $self->{deadline};
    my $at    = 0;
    while ($at < length $bytes) {
        return 0 unless $self->{fh};
        my $n = syswrite $self->{fh}, $bytes, 65536, $at;
        if (defined $n) { $at += $n; next }
        return 0 if $! == EPIPE || $! == ECONNRESET;
        die "write: $!\n" unless $! == EAGAIN || $! == EINTR;
        my $left = $until - time;
        die "deadline: the other side took no byte for $self->{deadline} s\n" if $left <= 0;
        IO::Select->new($self->{fh})->can_write($left);
    }
    return 1;
}

sub take ($self, $n) {
    while (length $self->{in} < $n) {
        $self->fill or die sprintf "eof: %d of %d bytes came\n", length $self->{in}, $n;
    }
    return substr $self->{in}, 0, $n, '';
}

# Exactly what was awaited, e.g. a frame or an opaque answer.
sub take_until ($self, $pattern) {
    while (1) {
        return substr $self->{in}, 0, $+[0], '' if $self->{in} =~ $pattern;
        $self->fill or die 'eof: before ' . $pattern . '; unread: ' . Weir::Message::show($self->{in}) . "\n";
    }
}

sub take_all ($self) {
    1 while $self->fill;
    my $all = $self->{in};
    $self->{in} = '';
    return $all;
}

# Does nothing come for this long?  For "nothing more was sent" only: never to wait for something.
sub is_quiet ($self, $seconds = 0.05) {
    return 0 if length $self->{in} || $self->{eof};
    return !IO::Select->new($self->{fh})->can_read($seconds);
}

sub close ($self) {
    CORE::close delete $self->{fh} if $self->{fh};
    $self->{eof} = 1;
}

# An RST instead of a FIN.
sub reset ($self) {
    return unless $self->{fh};
    setsockopt $self->{fh}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    $self->close;
}

sub half_close ($self) { shutdown $self->{fh}, 1 }

# -- messages --

sub _ambiguous ($what, $bytes) { die "ambiguous: $what: " . Weir::Message::show($bytes) . "\n" }

# One line without its CRLF.
sub _line ($self) {
    my $line = $self->take_until(qr/\n/);
    $line =~ s/\r\n\z// or _ambiguous('a line ends in a bare LF', $line);
    _ambiguous('bare CR or a control', $line) if $line =~ /[\x00-\x08\x0a-\x1f\x7f]/;
    return $line;
}

sub _fields ($self) {
    my @fields;
    while (length(my $line = $self->_line)) {
        my ($name, $value) = $line =~ /^($token):(.*)\z/ or _ambiguous('not a field', $line);
        $value =~ s/^[ \t]*//;
        $value =~ s/[ \t]*\z//;
        push @fields, [ $name, $value ];
    }
    return \@fields;
}

# How the body is framed: ('length', n) ('chunked') or (); dies when it could be read in two ways.
sub _framing ($message) {
    my @length = $message->header('Content-Length');
    my @coding = $message->header('Transfer-Encoding');
    my $raw    = $message->head;
    _ambiguous('two lengths', $raw) if @length > 1;
    _ambiguous('two codings', $raw) if @coding > 1;
    _ambiguous('length and coding', $raw) if @length && @coding;
    _ambiguous('length',  $raw) if @length && $length[0] !~ /^(?:0|[1-9][0-9]{0,18})\z/;
    _ambiguous('coding', $raw) if @coding && lc $coding[0] ne 'chunked';
    _ambiguous('coding in 1.0', $raw) if @coding && $message->version ne '1.1';
    return @length ? ('length', $length[0]) : @coding ? ('chunked') : ();
}

# undef: a clean end before the first byte.
sub read_request_head ($self) {
    unless (length $self->{in}) {
        $self->fill or return undef;
    }
    my $line = $self->_line;
    my ($method, $target, $minor) = $line =~ m{^($token) (\S+) HTTP/1\.([01])\z} or _ambiguous('request line', $line);
    $target =~ m{^$path(?:$query)?\z} or ($method eq 'OPTIONS' && $target eq '*') or _ambiguous('target', $line);
    _ambiguous('dot segments in target', $line) if $target =~ m{^[^?]*/(?:\.|%2e){1,2}(?:[/;?]|\z)}i;
    my $message = Weir::Message->new(line => $line, method => $method, target => $target, version => "1.$minor",
        fields => $self->_fields);
    my @host = $message->header('Host');
    _ambiguous('two hosts', $message->head) if @host > 1;
    _ambiguous('no host', $message->head) if @host == 0 && $minor == 1;
    _ambiguous('host', $message->head)
        if @host && $host[0] !~ /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])?(?::[0-9]+)?\z/;
    for my $name (qw(Keep-Alive Proxy-Connection HTTP2-Settings)) {
        _ambiguous("$name is hop by hop", $message->head) if defined $message->header($name);
    }
    if (defined $message->header('Upgrade')) {
        _ambiguous('Upgrade without Connection', $message->head)
            unless ($message->header('Connection') // '') =~ /\bupgrade\b/i;
    }
    $message->{framing} = [ _framing($message) ];
    return $message;
}

sub read_request ($self) {
    my $message = $self->read_request_head or return undef;
    $self->read_body($message);
    return $message;
}

# The body of a message whose head was read; trailers too.
sub read_body ($self, $message) {
    my ($how, $length) = $message->{framing}->@*;
    $how //= '';
    if    ($how eq 'length')  { $message->{body} = $self->take($length) }
    elsif ($how eq 'chunked') { $self->_read_chunked($message) }
    elsif ($how eq 'close')   { $message->{body} = $self->take_all; die "eof: reset inside the body\n"
        if $self->{reset} }
    else                      { $message->{body} = '' }
    return $message;
}

# Weir makes its own chunks, so an extension or a spare zero on our side of it is an error.
sub _read_chunked ($self, $message) {
    my $body = '';
    while (1) {
        my $line = $self->_line;
        $line =~ /^(?:0|[1-9A-Fa-f][0-9A-Fa-f]{0,14})\z/ or _ambiguous('chunk size', $line);
        my $size = hex $line or last;
        $body .= $self->take($size);
        $self->take(2) eq "\r\n" or _ambiguous('chunk end', $line);
        $message->{chunks}++;
    }
    $message->{body}     = $body;
    $message->{trailers} = $self->_fields;
    return;
}

# The final response; interim ones are in ->interim.  method: of the request it answers.
sub read_response ($self, %arg) {
    my @interim;
    while (1) {
        my $message = $self->read_response_head(%arg);
        my $status  = $message->status;
        if ($status >= 100 && $status < 200 && $status != 101) {
            push @interim, $message;
            next;
        }
        $self->read_body($message);
        $message->{interim} = \@interim;
        return $message;
    }
}

sub read_response_head ($self, %arg) {
    my $line = $self->_line;
    my ($minor, $status, $reason) = $line =~ m{^HTTP/1\.([01]) ([1-5][0-9][0-9]) ([\x20-\x7e]*)\z}
        or _ambiguous('status line', $line);
    my $message = Weir::Message->new(line => $line, status => $status, reason => $reason, version => "1.$minor",
        fields => $self->_fields);
    my @framing = _framing($message);
    my $no_body = $status < 200 || $status == 204 || $status == 304 || ($arg{method} // '') eq 'HEAD';
    if ($status < 200 || $status == 204) {
        _ambiguous('framing of an answer without a body', $message->head) if @framing;
    }
    if (!$no_body && !@framing) {
        @framing = ('close');
        _ambiguous('no length, and it does not close', $message->head)
            if $minor == 1 && lc($message->header('Connection') // '') ne 'close';
    }
    if ($status >= 200) {
        for my $name (qw(Date Server)) {
            my @all = $message->header($name);
            _ambiguous(scalar(@all) . " of $name", $message->head) if @all > 1;
        }
    }
    $message->{framing} = $no_body ? [] : \@framing;
    return $message;
}

1;
