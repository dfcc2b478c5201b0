# Weir::Origin::Connection - what a handler of a scripted origin holds: one connection that Weir has opened.
package Weir::Origin::Connection;
use v5.36;
use parent 'Weir::Wire';

use Time::HiRes qw(time sleep);

sub new ($class, $fh, %arg) {
    my $self = $class->SUPER::new($fh, on_bytes => $arg{on_bytes}, deadline => $arg{deadline} // 30);
    @$self{qw(number dir events)} = @arg{qw(number dir events)};
    return $self;
}

sub number ($self)  { $self->{number} }          # 1 is the first connection this origin accepted
sub request ($self) { $self->{request} }         # the last one read
sub served ($self)  { $self->{served} // 0 }     # requests on this connection, this one included

sub event ($self, $text) { syswrite $self->{events}, "$self->{number} $text\n" }
# For the test to see: $origin->notes, $origin->wait_note.
sub note ($self, $text)  { $self->event("note $text") }

# The head alone; then the body with ->read_body.
sub read_head ($self) {
    my $request = $self->read_request_head or return undef;
    $self->{request} = $request;
    $self->{served}++;
    $self->event('request ' . $request->method . ' ' . $request->target);
    return $request;
}

sub read_request ($self) {
    my $request = $self->read_head or return undef;
    $self->read_body($request);
    return $request;
}

sub read_body ($self, $message = $self->{request}) { $self->SUPER::read_body($message) }

# A complete answer with Content-Length (left out of 1xx, 204; a HEAD's body is not sent).
sub reply ($self, $status = 200, $body = '', @headers) {
    my $text = "HTTP/1.1 $status " . ($status == 200 ? 'OK' : 'Scripted') . "\r\n";
    $text .= 'Content-Length: ' . length($body) . "\r\n" if $status >= 200 && $status != 204;
    while (my ($name, $value) = splice @headers, 0, 2) {
        $text .= "$name: $value\r\n";
    }
    $text .= "\r\n";
    $text .= $body unless $self->{request} && $self->{request}->method eq 'HEAD' || $status == 304;
    return $self->write($text);
}

# The same as chunks, one for each element; trailers => [ name, value ].
sub reply_chunked ($self, $status, $chunks, %arg) {
    my @headers = ($arg{headers} // [])->@*;
    my $text    = "HTTP/1.1 $status OK\r\nTransfer-Encoding: chunked\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) { $text .= "$name: $value\r\n" }
    $text .= "\r\n" . join '', map { sprintf "%x\r\n%s\r\n", length, $_ } grep { length } @$chunks;
    $text .= "0\r\n";
    my @trailers = ($arg{trailers} // [])->@*;
    while (my ($name, $value) = splice @trailers, 0, 2) { $text .= "$name: $value\r\n" }
    return $self->write("$text\r\n");
}

sub raw ($self, $bytes) { $self->write($bytes) }

# Waits until the test says $w->pass('name'); or lets the test go on, which waits with $w->wait_for('name').
sub wait_for ($self, $name) { Weir::Origin::Connection::barrier_wait($self->{dir}, $name) }
sub pass ($self, $name)     { barrier_pass($self->{dir}, $name) }

sub barrier_wait ($dir, $name) {
    my $until = time + $Weir::Wire::DEADLINE;
    until (-e "$dir/barrier.$name") {
        die "deadline: nobody gave the signal '$name'\n" if time > $until;
        sleep 0.002;
    }
    return 1;
}

sub barrier_pass ($dir, $name) {
    open my $flag, '>', "$dir/barrier.$name" or die "barrier $name: $!\n";
    return 1;
}

1;
