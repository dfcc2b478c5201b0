# Weir::Test - end-to-end tests: a real Weir, real sockets, both ends scripted, barriers instead of sleeps.
#
#     my $w    = Weir::Test->new('a refused peer is skipped');
#     my $good = $w->origin(sub { shift->reply(200, 'ok') });
#     my $dead = $w->refused_peer;
#     $w->conf("upstream api { server $dead; server $good; } server { location / { proxy_pass http://api; } }");
#     is $w->get('/')->status, 200, 'the second peer answered';
#     is $good->requests, 1, 'the origin saw one request';
#     done_testing;
#
# Gives Test::More's functions too. Weir starts with the first thing asked of it. When the test is done it also asserts, silently
# unless one fails: exit code 0, no worker lost, nothing alarming in the log, no sanitizer report, no descriptor leaked, no
# process left, nothing that an origin's strict parser complained of. Every wait has a deadline, which fails the test.
#
# WEIR_BIN names another program than objs/weir. Works as root and not, and side by side.
package Weir::Test;
use v5.36;
use parent -norequire, 'Weir::Server';

use Cwd ();
use File::Basename ();
use File::Path ();
use File::Temp ();
use Weir::Json;
use POSIX ();
use Test::More ();
use Time::HiRes ();
use Weir::Client;
use Weir::Guard;
use Weir::Origin;
use Weir::Server;

my @tests;
my $guard;                     # one for all of a file: a second would hold the first one's pipe
my $limit = 120;               # seconds for a whole test file

sub import ($class) {
    my $caller = caller;
    Test::More->export_to_level(1, $class, grep { $_ ne 'done_testing' } @Test::More::EXPORT);
    no strict 'refs';
    *{"${caller}::done_testing"} = \&done_testing;
    *{"${caller}::needs"}        = \&needs;
    *{"${caller}::show"}         = \&Weir::Message::show;
}

# Skips the whole file unless the programs are there.
sub needs (@programs) {
    for my $program (@programs) {
        next if grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
        Test::More::plan(skip_all => "$program is not installed");
    }
}

sub root () { Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..') }

sub new ($class, $sentence) {
    my $bin = $ENV{WEIR_BIN} // root() . '/objs/weir';
    Test::More::plan(skip_all => "$bin is not built") unless -x $bin;
    my $dir  = File::Temp::tempdir('weir-test-XXXXXX', TMPDIR => 1);
    my $self = $class->SUPER::new(dir => $dir, bin => Cwd::abs_path($bin), guard => $guard //= Weir::Guard->new);
    @$self{qw(sentence owner clients origins others)} = ($sentence, $$, [], [], []);
    push @tests, $self;
    $SIG{INT} = $SIG{TERM} = sub { exit 130 };
    $SIG{ALRM} = sub { die "deadline: the test file took more than $limit s\n" };
    alarm $limit;
    return $self;
}

# For tests that are long by nature.
sub time_limit ($self, $seconds) { alarm($limit = $seconds) }

# What only Weir has, and its stand-in while tests are written has not.
sub needs_weir ($self) {
    Test::More::plan(skip_all => 'for Weir only') if $self->is_nginx;
    return $self;
}

# -- the other side --

# handler: once a request, which was read; body => 0: it reads the body itself; unix => path, host => '::1'
sub origin ($self, $handler = sub { shift->reply(200, 'ok') }, %arg) { $self->_origin($handler, 'request', %arg) }
# handler: once a connection, with nothing read
sub peer ($self, $handler, %arg) { $self->_origin($handler, 'connection', %arg) }

sub _origin ($self, $handler, $each, %arg) {
    my $origin = Weir::Origin->new(handler => $handler, each => $each, dir => $self->{dir}, guard => $self->{guard},
        %arg);
    push $self->{origins}->@*, $origin;
    return $origin;
}

# An origin that tells in its answer what it saw: $w->seen($answer) is the request as it arrived there.
sub echo_origin ($self, %arg) {
    return $self->origin(sub ($c) {
        my %seen = map { $_ => $c->request->{$_} } qw(line method target version fields framing body trailers chunks);
        $c->reply(200, Weir::Json::encode({ %seen, number => $c->number, served => $c->served }),
            'Content-Type', 'application/json');
    }, %arg);
}

sub seen ($self, $answer) {
    my $text = $answer->body;
    return Weir::Message->new(Weir::Json::decode($text)->%*) if length $text;
    die 'not an answer of the echo origin: ' . $answer->head . "\n";
}

# An address that refuses connections.
sub refused_peer ($self) {
    my ($socket, $port) = Weir::Server::hold_port();
    push $self->{held}->@*, $socket;
    return "127.0.0.1:$port";
}

# An address where a connection is never completed: a listener whose queue is full.
sub blackhole_peer ($self) {
    my ($listener, $port) = Weir::Server::hold_port();
    listen $listener, 0;
    push $self->{held}->@*, $listener;
    for (1 .. 4) {
        socket my $filler, Socket::AF_INET(), Socket::SOCK_STREAM(), 0 or die "socket: $!\n";
        IO::Handle::blocking($filler, 0);
        connect $filler, Socket::pack_sockaddr_in($port, Socket::INADDR_LOOPBACK());
        push $self->{held}->@*, $filler;
    }
    Time::HiRes::sleep(0.01);
    return "127.0.0.1:$port";
}

# Debian's nginx with a text for its http block.  Stands for its address.
sub nginx ($self, $text, %arg) {
    my $n     = $self->{others}->@* + 1;
    my ($bin) = grep { -x } qw(/usr/sbin/nginx /usr/local/sbin/nginx /usr/bin/nginx);
    my $nginx = Weir::Server->new(guard => $self->{guard}, dir => "$self->{dir}/nginx-$n", bin => $bin);
    $nginx->{is_nginx} = 1;
    push $self->{others}->@*, $nginx;
    $nginx->conf($text, %arg);
    $nginx->start;
    return $nginx;
}

# Any other program, run to its end: (exit code, output); seconds it may take.
sub command ($self, $seconds, @command) {
    my $file = "$self->{dir}/command.output";
    unlink $file;
    my $pid = $self->{guard}->exec($file, {}, @command);
    my $status = $self->{guard}->wait($pid, $seconds);
    $self->{guard}->end($pid);
    die "deadline: @command did not end\n" unless defined $status;
    return ($status >> 8, Weir::Server::slurp($file));
}

# A program that runs beside the test: returns a function that waits for its end and gives (exit code, output).
sub background ($self, @command) {
    my $file = "$self->{dir}/background." . ++$self->{backgrounds};
    my $pid  = $self->{guard}->exec($file, {}, @command);
    return sub ($seconds) {
        my $status = $self->{guard}->wait($pid, $seconds);
        $self->{guard}->end($pid);
        die "deadline: @command did not end\n" unless defined $status;
        return ($status >> 8, Weir::Server::slurp($file));
    };
}

# Perl beside the test.
sub child ($self, $work) {
    my $file = "$self->{dir}/child." . ++$self->{children};
    my $pid  = $self->{guard}->fork($work, $file);
    return sub ($seconds) {
        my $status = $self->{guard}->wait($pid, $seconds);
        $self->{guard}->end($pid);
        die "deadline: a child did not end\n" unless defined $status;
        return ($status >> 8, Weir::Server::slurp($file));
    };
}

# -- this side --

# A connection to Weir: port (or its name), host, unix
sub client ($self, %arg) {
    $self->start;
    my $port = $arg{port} // '';
    $arg{port} = $self->port($port) unless $port =~ /^\d+$/;
    my $client = Weir::Client->open(%arg);
    push $self->{clients}->@*, $client;
    return $client;
}

# The same with TLS on it (Weir::TlsClient says what may be asked for); dies with "handshake: why" when Weir will not.
sub tls ($self, %arg) {
    require Weir::TlsClient;
    $self->start;
    my $port = $arg{port} // '';
    $arg{port} = $self->port($port) unless $port =~ /^\d+$/;
    my $client = Weir::TlsClient->open(%arg);
    push $self->{clients}->@*, $client;
    return $client;
}

# Why a handshake is refused, in OpenSSL's words; empty when it is not.
sub tls_refusal ($self, %arg) {
    my $client = eval { $self->tls(%arg) };
    my $why    = $@;
    die $why if !$client && $why !~ /^handshake: /;
    $client->close if $client;
    return $client ? '' : $why =~ s/^handshake: |\s+\z//gr;
}

sub get ($self, $target, @headers) { $self->request('GET', $target, headers => \@headers) }

# One request on a connection of its own and its answer. headers => [], body, host, port
sub request ($self, $method, $target, %arg) {
    my $client = $self->client(%arg{grep { exists $arg{$_} } qw(port unix)});
    $arg{headers} = [ ($arg{headers} // [])->@*, 'Connection', 'close' ]
        unless grep { lc($_ // '') eq 'connection' } ($arg{headers} // [])->@*;
    my $answer = $client->send_request($method, $target, %arg)->read_response(method => $method);
    $client->close;
    return $answer;
}

# Bytes there, and all that comes back until the end of the connection.
sub raw ($self, $bytes, %arg) {
    my $client = $self->client(%arg);
    my $all    = $client->send($bytes)->take_all;
    $client->close;
    return $all;
}

# Barriers with the handlers of origins: $c->wait_for('x') goes on after $w->pass('x').
sub pass ($self, $name)     { Weir::Origin::Connection::barrier_pass($self->{dir}, $name) }
sub wait_for ($self, $name) { Weir::Origin::Connection::barrier_wait($self->{dir}, $name) }

# Polls for what has no barrier of its own; fails the test at the deadline.
sub wait_until ($self, $what, $is_so) {
    my $until = Time::HiRes::time() + $Weir::Wire::DEADLINE;
    until ($is_so->()) {
        die "deadline: $what\n" if Time::HiRes::time() > $until;
        Time::HiRes::sleep(0.003);
    }
    return 1;
}

# What each of two workers says to $path, in order; a location /worker returns "$pid".
sub both_workers_say ($self, $path) {
    my %seen;
    $self->wait_until('both workers have answered', sub {
        my $client = $self->client;
        my $pid = $client->send_request('GET', '/worker')->read_response->body;
        $seen{$pid} //= $client->send_request('GET', $path)->read_response->body;
        keys %seen == 2;
    });
    return join ' ', sort values %seen;
}

# An origin may see requests that its parser refuses.
sub allow_bad ($self) { $self->{allow_bad} = 1; return $self }

# -- the end --

sub finish ($self) {
    return if $self->{finished}++ || $$ != $self->{owner};
    my @problems;
    $_->close for $self->{clients}->@*;
    for my $other ($self->{others}->@*) {       # first, so that what they keep open to Weir ends
        push @problems, $@ unless eval { $other->stop; 1 };
    }
    push @problems, eval { $self->problems_running };
    push @problems, $@ if $@;
    push @problems, $@ unless eval { $self->stop; 1 };
    push @problems, $self->problems_stopped;
    for my $origin ($self->{origins}->@*) {
        push @problems, map { "origin $origin: $_" } $origin->bad unless $self->{allow_bad};
        $origin->stop;
    }
    Test::More::fail("silently asserted of '$self->{sentence}': $_") for @problems;
}

sub clean_up ($self) {
    return if $$ != $self->{owner};
    if (Test::More->builder->is_passing && !$self->{died}) {
        File::Path::remove_tree($self->{dir});
        return;
    }
    Test::More::diag("kept: $self->{dir}");
    my @lines = split /\n/, $self->error_log . $self->output;
    Test::More::diag(join "\n", 'the last of its log:', @lines > 30 ? @lines[ -30 .. -1 ] : @lines);
}

sub done_testing () {
    for my $test (reverse @tests) { $test->finish }    # a guard has the pipes of those before it
    $guard->end_all if $guard;
    Test::More::done_testing();
}

END {
    my $status = $?;
    alarm 0;
    $guard->end_all if $guard && grep { $_->{owner} == $$ } @tests;
    for my $test (reverse @tests) {
        $test->{died} = 1 unless $test->{finished};
        $test->clean_up;
    }
    $? = $status;
}

1;
