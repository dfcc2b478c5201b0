# Weir::Origin - a scripted upstream: a process that listens, and one more for each connection it accepts.
#
# Made by $w->origin(sub { my $c = shift; … }): the handler runs once a request, which was read by the strict parser of Weir::Wire.
# $w->peer(sub { my $c = shift; … }): the handler runs once a connection, and reads for itself. What arrived is journalled in files,
# so the test sees it as soon as an answer that was caused by it is seen. Stands for "127.0.0.1:port" in a text.
package Weir::Origin;
use v5.36;

use overload '""' => sub ($self, @) { $self->address }, fallback => 1;

use IO::Select;
use IO::Socket::IP;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time sleep);
use Weir::Origin::Connection;

my $made = 0;

# handler, each => 'request' or 'connection', dir, guard; host, port (one that the test holds; else any), unix => path, body => 0: the handler reads the body itself.
sub new ($class, %arg) {
    my $self = bless { %arg, number => ++$made }, $class;
    $self->{journal_file} = "$arg{dir}/origin-$self->{number}";
    my $listener = defined $arg{unix}
        ? IO::Socket::UNIX->new(Local => $arg{unix}, Listen => 1024)
        : IO::Socket::IP->new(LocalHost => $arg{host} // '127.0.0.1', LocalPort => $arg{port} // 0, Listen => 1024,
            $arg{port} ? (ReuseAddr => 1) : ());
    die "listen: $!\n" unless $listener;
    chmod 0666, $arg{unix} if defined $arg{unix};
    $self->{port} = $listener->sockport unless defined $arg{unix};
    open my $touch, '>', "$self->{journal_file}.events" or die "$self->{journal_file}.events: $!\n";
    $self->{pid} = $arg{guard}->fork(sub { $self->_serve($listener) });
    return $self;
}

sub port ($self) { $self->{port} }
sub pid ($self)  { $self->{pid} }

sub address ($self) {
    return "unix:$self->{unix}" if defined $self->{unix};
    my $host = $self->{host} // '127.0.0.1';
    return ($host =~ /:/ ? "[$host]" : $host) . ":$self->{port}";
}

# -- what the test asks --

sub _events ($self, $kind) {
    open my $in, '<', "$self->{journal_file}.events" or return;
    return grep { /^\d+ $kind\b/ } <$in>;
}

sub connections ($self) { scalar $self->_events('connect') }
sub requests ($self)    { scalar $self->_events('request') }
# Complaints of the strict parser and exceptions of handlers.
sub bad ($self)         { map { s/^\d+ bad //r } $self->_events('bad') }
sub notes ($self)       { map { chomp; s/^\d+ note //r } $self->_events('note') }
# "GET /path" of every request in the order of their arrival.
sub lines ($self)       { map { chomp; s/^\d+ request //r } $self->_events('request') }

# Raw bytes received, by connection in order of arrival.
sub journal ($self) {
    my @bytes;
    for my $n (1 .. $self->connections) {
        my $bytes = '';
        if (open my $in, '<:raw', "$self->{journal_file}.$n") {
            local $/;
            $bytes = <$in> // '';
        }
        push @bytes, $bytes;
    }
    return @bytes;
}

sub received ($self) { join '', $self->journal }

sub wait_requests ($self, $n)    { $self->_wait("$n requests", sub { $self->requests >= $n }) }
sub wait_connections ($self, $n) { $self->_wait("$n connections", sub { $self->connections >= $n }) }
sub wait_note ($self, $text)     { $self->_wait("note '$text'", sub { grep { $_ eq $text } $self->notes }) }
# Connections whose end the origin has seen.
sub ended ($self)                { scalar $self->_events('end') }
sub wait_ended ($self, $n)       { $self->_wait("$n ends", sub { $self->ended >= $n }) }

sub _wait ($self, $what, $is_so) {
    my $until = time + $Weir::Wire::DEADLINE;
    until ($is_so->()) {
        die "deadline: origin $self never had $what\n" if time > $until;
        sleep 0.003;
    }
    return 1;
}

sub stop ($self) {
    my $pid = delete $self->{pid} or return;
    $self->{guard}->end($pid);
}

# -- the origin's own processes --

sub _serve ($self, $listener) {
    $SIG{CHLD} = 'IGNORE';
    open my $events, '>>', "$self->{journal_file}.events" or die;
    $events->autoflush(1);
    my $n = 0;
    while (1) {
        my $fh = $listener->accept or next;
        $n++;
        syswrite $events, "$n connect\n";
        my $pid = fork // die "fork: $!\n";
        if ($pid == 0) {
            close $listener;
            $SIG{CHLD} = 'DEFAULT';
            eval { $self->_serve_connection($n, $fh, $events); 1 } or warn $@;
            POSIX::_exit(0);
        }
        close $fh;
    }
}

sub _serve_connection ($self, $n, $fh, $events) {
    setsockopt $fh, IPPROTO_TCP, TCP_NODELAY, 1 unless defined $self->{unix};
    open my $journal, '>:raw', "$self->{journal_file}.$n" or die;
    my $c = Weir::Origin::Connection->new($fh, number => $n, dir => $self->{dir}, events => $events,
        on_bytes => sub ($bytes) { syswrite $journal, $bytes });
    my $ok = eval { $self->{each} eq 'connection' ? $self->{handler}->($c) : $self->_serve_requests($c); 1 };
    $c->event('bad ' . ($@ =~ s/\n/ /gr)) unless $ok;
    $c->close if $ok || $c->is_open;
    $c->event('end');
}

sub _serve_requests ($self, $c) {
    while ($c->is_open) {
        my $request = eval { $self->{body} // 1 ? $c->read_request : $c->read_head };
        unless ($request) {
            return unless $@;
            die $@ unless $@ =~ /^(?:eof|deadline)/ && !$self->{complete};
            $c->event('cut ' . ($@ =~ s/\n/ /gr));
            return;
        }
        $self->{handler}->($c);
        return if lc($request->header('Connection') // '') eq 'close' && !$c->{stay};
    }
}

1;
