# Weir::Server - one server process under test (or beside it: Debian's nginx as a peer) with a directory, ports and logs of its own.
#
# Its configuration is a text with places to fill: %%PORT%% and %%PORT_name%% are ports the kernel chose, %%DIR%% is the directory. A server
# block without `listen` gets the default port. Stands for "127.0.0.1:port" in a text.
package Weir::Server;
use v5.36;

use overload '""' => sub ($self, @) { '127.0.0.1:' . $self->port }, '==' => sub ($x, $y, @) { "$x" eq "$y" },
    fallback => 1;

use IO::Socket::INET;
use IO::Socket::IP;
use Socket qw(:DEFAULT IPPROTO_IPV6 IPV6_V6ONLY IN6ADDR_ANY pack_sockaddr_in6 unpack_sockaddr_in6 sockaddr_family);
use Time::HiRes qw(time sleep);
use Weir::Client;

# guard, dir, bin
sub new ($class, %arg) {
    my $self = bless { %arg, ports => {}, held => [], generation => 0, log_at => 0 }, $class;
    $self->{is_nginx} = $arg{bin} =~ m{(?:^|/)nginx[^/]*$} ? 1 : 0;
    mkdir "$arg{dir}$_" for '', '/conf', '/logs', '/san';
    chmod 0755, $arg{dir};
    chmod 01777, "$arg{dir}/san";
    return $self;
}

sub dir ($self)      { $self->{dir} }
sub bin ($self)      { $self->{bin} }
sub is_nginx ($self) { $self->{is_nginx} }
sub pid ($self)      { $self->start; $self->{pid} }

# The port of a name.  It is held as long as the test runs, so that nobody else is given it.
sub port ($self, $name = '') { $self->ports($name)->[0] }

# As many in a row: [ first, … ].
sub ports ($self, $name, $n = 1) {
    my $ports = $self->{port_lists}{$name} //= do {
        my ($ports, @sockets) = hold_ports($n);
        push $self->{held}->@*, @sockets;
        $ports;
    };
    $self->{ports}{$name} = $ports->[0];
    return $ports;
}

# A listener of the test's own on a held port: when it is closed, the port is the server's to open.
sub listener ($self, $name, $host = '127.0.0.1') {
    return IO::Socket::IP->new(LocalHost => $host, LocalPort => $self->port($name), ReuseAddr => 1, Listen => 5) // die "listen: $@\n";
}

# Ports in a row that nobody has, and the sockets that hold them: bound on all addresses, first without sharing (who has it anywhere makes that
# fail), and not listening.  Whoever says SO_REUSEADDR may listen there; the kernel gives it to nobody who has not named it.
sub hold_ports ($n) {
    my (@sockets, @given_up);
    until (@sockets == $n) {
        my $port   = @sockets ? _port_of($sockets[-1]) + 1 : 0;
        my $socket = $port < 65536 ? _hold($port) : undef;
        push(@sockets, $socket), next if $socket;
        die "no port can be bound: $!\n" unless @sockets;
        push @given_up, splice @sockets;        # held until there are others, so that those differ
    }
    setsockopt $_, SOL_SOCKET, SO_REUSEADDR, 1 or die "SO_REUSEADDR: $!\n" for @sockets;
    setsockopt $_, SOL_SOCKET, SO_REUSEPORT, 1 or die "SO_REUSEPORT: $!\n" for @sockets;
    return ([ map { _port_of($_) } @sockets ], @sockets);
}

sub hold_port () {
    my ($ports, $socket) = hold_ports(1);
    return ($socket, $ports->[0]);
}

sub _hold ($port) {
    if (socket my $both, AF_INET6, SOCK_STREAM, 0) {
        setsockopt $both, IPPROTO_IPV6, IPV6_V6ONLY, 0 or die "IPV6_V6ONLY: $!\n";
        return bind($both, pack_sockaddr_in6($port, IN6ADDR_ANY)) ? $both : undef;
    }
    socket my $four, AF_INET, SOCK_STREAM, 0 or die "socket: $!\n";
    return bind($four, pack_sockaddr_in($port, INADDR_ANY)) ? $four : undef;
}

sub _port_of ($socket) {
    my $name = getsockname $socket;
    return (sockaddr_family($name) == AF_INET6 ? unpack_sockaddr_in6($name) : unpack_sockaddr_in($name))[0];
}

# -- configuration --

# A text for inside http {}, or with an http block of its own.  main, events, http: more text for those; workers: 2.
sub conf ($self, $text, %arg) {
    $self->{conf} = { text => $text, %arg };
    return $self->_write_conf;
}

# The whole file.
sub conf_main ($self, $text, %arg) {
    $self->{conf} = { text => $text, whole => 1, %arg };
    return $self->_write_conf;
}

sub conf_file ($self) { "$self->{dir}/conf/weir.conf" }

sub write_file ($self, $name, $text) {
    my $path = $name =~ m{^/} ? $name : "$self->{dir}/$name";
    open my $out, '>:raw', "$path.new" or die "$path.new: $!\n";
    print $out $self->fill_in($text);
    CORE::close $out or die "$path.new: $!\n";
    rename "$path.new", $path or die "$path: $!\n";     # who reads it sees the old text or the new one
    return $path;
}

sub fill_in ($self, $text) {
    $text =~ s/%%PORT(?:_(\w+))?%%/$self->port($1 \/\/ '')/ge;
    $text =~ s/%%DIR%%/$self->{dir}/g;
    return $text;
}

sub _write_conf ($self) {
    $self->{generation}++;
    $self->write_file('conf/weir.conf', $self->_whole_text);
    return $self;
}

sub workers_expected ($self) { $self->{conf}{workers} // 2 }

sub _whole_text ($self) {
    my $conf = $self->{conf};
    return $conf->{text} if $conf->{whole};
    my $text   = $conf->{text};
    my $has    = sub ($name) {
        $text =~ /(?:^|[;{}\s])\Q$name\E\s/ || ($conf->{main} // '') =~ /(?:^|[;\s])\Q$name\E\s/ };
    my $main   = $conf->{main} // '';
    $main .= "daemon off;\n"            unless $has->('daemon');
    $main .= "pid logs/weir.pid;\n"     unless $has->('pid');
    $main .= "upgrade_trial 50ms;\n"    unless $has->('upgrade_trial') || $self->{is_nginx};
    $main .= "worker_processes " . $self->workers_expected . ";\n" unless $has->('worker_processes');
    $main .= "error_log logs/error.log info;\n"
        unless $main =~ /error_log/ || $text =~ /^\s*error_log/m && $text =~ /http\s*\{/;
    my $events = $text =~ /(?:^|[;}\s])events\s*\{/ ? '' : 'events { worker_connections 512; '
        . ($conf->{events} // '') . " }\n";
    my $http   = $conf->{http} // '';
    if ($self->{is_nginx}) {
        $http .= "access_log logs/access.log;\n" unless $has->('access_log');
        $http .= join '', map { "${_}_temp_path temp-$_;\n" } qw(client_body proxy fastcgi uwsgi scgi);
        $http .= "proxy_http_version 1.1;\nproxy_set_header Connection '';\n" unless $has->('proxy_set_header');
    }
    my $control = '';
    if ($conf->{control} // 1) {
        $self->{control_generation} = $self->{generation};
        my $reuseport = $self->{is_nginx} ? ' reuseport' : '';
        $control = "server { listen 127.0.0.1:%%PORT_control%%$reuseport; server_name control; access_log off; keepalive_timeout 0;\n"
            . "  location / { return 200 '\$pid $self->{generation}'; } }\n";
    } else {
        delete $self->{control_generation};
    }
    if ($text =~ /(?:^|[;}\s])http\s*\{/) {
        $text =~ s/((?:^|[;}\s])http\s*\{)/$1\n$http$control/;
        return $main . $events . add_listens($text);
    }
    return "$main${events}http {\n$http$control" . add_listens($text) . "\n}\n";
}

# `listen` for server blocks that say none.
sub add_listens ($text) {
    my $out = '';
    while ($text =~ /\G(.*?(?:^|[;{}\s])server\s*\{)/gcs) {
        $out .= $1;
        my $from = pos $text;
        my $to   = _block_end($text, $from);
        my $body = substr $text, $from, $to - $from;
        $out .= ' listen 127.0.0.1:%%PORT%%;' unless $body =~ /(?:^|[;{}\s])listen\s/;
        pos($text) = $from;
    }
    return $out . substr $text, pos $text // 0;
}

sub _block_end ($text, $from) {
    my $depth = 1;
    pos($text) = $from;
    while ($text =~ /\G(?:[^{}"'\\\$#]+|\\.|\$\{|(["'])(?:\\.|(?!\1).)*\1|#[^\n]*|([{}])|.)/gcs) {
        $depth += $2 eq '{' ? 1 : -1 if defined $2;
        return pos($text) - 1 if $depth == 0;
    }
    return length $text;
}

# -- running --

sub arguments ($self) { ($self->{bin}, '-p', "$self->{dir}/", '-c', 'conf/weir.conf', '-e', 'logs/error.log') }

sub environment ($self) {
    my $log  = "log_path=$self->{dir}/san/report";
    # the last one said holds
    my $with = sub ($name, $own) { $name => join ':', grep { length } $ENV{$name} // '', $own };
    return {
        $with->(ASAN_OPTIONS  => "$log:halt_on_error=1:detect_leaks=1:exitcode=99:handle_abort=1:allocator_may_return_null=1"),
        $with->(LSAN_OPTIONS  => 'exitcode=99'),
        $with->(UBSAN_OPTIONS => "$log:halt_on_error=1:print_stacktrace=1:exitcode=99"),
    };
}

# Once; further calls find it running.
sub start ($self) {
    return $self if $self->{pid};
    die "no configuration was given\n" unless $self->{conf};
    $self->{pid} = $self->{guard}->exec("$self->{dir}/output", $self->environment, $self->arguments);
    $self->{started_workers} = undef;
    $self->_wait_ready;
    return $self;
}

sub _wait_ready ($self) {
    my $until = time + 2 * $Weir::Wire::DEADLINE;
    if (defined $self->{control_generation}) {
        $self->_wait_generation($until);
    } else {
        $self->_wait_accepting($until);
    }
    $self->{started_workers} = [ $self->workers ];
    $self->{fds} = { map { $_ => [ $self->_fds($_) ] } $self->workers } if defined $self->{control_generation};
}

sub _must_run ($self, $until, $what) {
    my $status = $self->_ended;
    if (defined $status || time > $until) {
        my $why = defined $status ? "it ended with status " . ($status >> 8)
            . ($status & 127 ? ' by signal ' . ($status & 127) : '')
                                  : "deadline: $what";
        die "$self->{bin}: $why\n" . $self->output . $self->error_log;
    }
}

sub _wait_accepting ($self, $until) {
    for my $port (map { $self->{ports}{$_} } sort keys $self->{ports}->%*) {
        until (IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)) {
            $self->_must_run($until, "nothing accepts on port $port");
            sleep 0.005;
        }
    }
    until ($self->workers >= $self->workers_expected) {
        $self->_must_run($until, 'not all workers are there');
        sleep 0.005;
    }
}

# Until every worker answers with the newest generation and none with an older one.
sub _wait_generation ($self, $until) {
    my ($streak, %seen) = (0);
    until ($streak >= 6 && keys %seen >= $self->workers_expected) {
        my ($pid, $generation) = $self->_probe;
        if (defined $generation && $generation == $self->{control_generation}) {
            $streak++;
            $seen{$pid} = 1;
            next if time < $until;
        }
        $self->_must_run($until,
            "not every worker answers with the new configuration (" . join(' ', keys %seen) . " do)");
        $streak = 0;
        sleep 0.003;
    }
}

# One answer of the control server: pid and generation of the worker that took it; () when none does yet.
sub _probe ($self) {
    my $fh = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->port('control'), Timeout => 2) or return;
    my $wire = Weir::Wire->new($fh);
    my $answer = eval {
        $wire->write("GET / HTTP/1.1\r\nHost: control\r\nConnection: close\r\n\r\n");
        $wire->read_response;
    };
    return $answer && $answer->body =~ /^(\d+) (\d+)/ ? ($1, $2) : ();
}

# Children of the master that are not leaving, by pid.
# What comes meanwhile is there together when they look again.
sub stop_workers ($self) {
    for my $pid ($self->workers) {
        kill STOP => $pid;
        my $until = time + $Weir::Wire::DEADLINE;
        until (slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) T /s) {
            die "deadline: $pid does not stop\n" if time > $until;
            sleep 0.001;
        }
    }
}

sub continue_workers ($self) { kill CONT => $self->workers }

sub workers ($self) {
    my $master = $self->{pid} or return;
    my @pids;
    for my $pid ($self->{guard}->members($self->{first_pid} // $master)) {
        next if $pid == $master;
        open my $in, '<', "/proc/$pid/stat" or next;
        my ($parent) = (<$in> // '') =~ /^\d+ \(.*\) \S (\d+)/s;
        next unless defined $parent && $parent == $master;
        my $title = slurp("/proc/$pid/cmdline");
        push @pids, $pid if $title =~ /worker process/ && $title !~ /shutting down/;
    }
    @pids = sort { $a <=> $b } @pids;
    return @pids;
}

sub signal ($self, $name) { kill $name, $self->pid or die "signal $name: $!\n" }

# Reads the (new) text and returns when every worker uses it.
sub reload ($self, $text = undef, %arg) {
    $self->start;
    my $conf = $self->{conf};
    $self->{conf} = { %$conf, %arg, text => $text // $conf->{text} };
    $self->_write_conf;
    $self->signal('HUP');
    if (defined $self->{control_generation}) {
        $self->_wait_generation(time + 2 * $Weir::Wire::DEADLINE);
    }
    return $self;
}

# The end of health checks, whose connections come and go, before a test's descriptors are looked at.
sub end_checks ($self) { $self->reload($self->{conf}{text} =~ s/health_check\b[^;]*;//gr) }

# A text that must be refused: waits for the complaint in the log; the old configuration is put back on disk.
sub reload_refused ($self, $text, $complaint) {
    $self->start;
    my %before = map { $_ => $self->{$_} } qw(conf control_generation);
    $self->{conf} = { $before{conf}->%*, text => $text };
    $self->_write_conf;
    my $mark = length $self->error_log;
    $self->signal('HUP');
    my $found = $self->wait_for_log($complaint, from => $mark);
    $self->allow_log($complaint);
    @$self{keys %before} = values %before;
    $self->write_file('conf/weir.conf', $self->_whole_text);
    return $found;
}

# Graceful end; returns the exit status (0 is good), dies at the deadline.
sub stop ($self, $signal = 'QUIT') {
    my $pid = $self->{pid} or return 0;
    kill $signal, $pid unless defined $self->_ended;
    return $self->wait_exit;
}

# The master's wait status when it has ended; one that took over is no child of ours: 0.
sub _ended ($self) {
    return $self->{guard}->ended($self->{pid}) unless $self->{first_pid};
    return (grep { $_ == $self->{pid} } $self->{guard}->members($self->{first_pid})) ? undef : 0;
}

# After an upgrade: the master is who the pid file says; the one before has ended, or will.
sub taken_over ($self) {
    my $before = $self->{pid};
    my ($now) = slurp("$self->{dir}/logs/weir.pid") =~ /^(\d+)$/m or die "no pid file\n";
    die "nobody has taken over from $before\n" if $now == $before;
    $self->{first_pid} //= $before;
    $self->{pid} = $now;
    $self->{started_workers} = undef;
    $self->{fds} = {};
    return $now;
}

sub wait_exit ($self) {
    my $pid = $self->{first_pid} // $self->{pid};
    my $until = time + $Weir::Wire::DEADLINE;
    my $status;
    sleep 0.003 until defined($status = $self->_ended) || time > $until;
    die "deadline: $self->{bin} did not end\n" . $self->error_log unless defined $status;
    sleep 0.003 while $self->{first_pid} && $self->{guard}->members($pid) && time < $until;    # the ones before, leaving
    $self->{left} = [ $self->{guard}->members($pid) ];
    delete @$self{qw(pid first_pid)};
    $self->{guard}->end($pid);
    $self->{exit_status} = $status;
    return $status;
}

sub exit_status ($self) { $self->{exit_status} }

# The store's process; undef: there is none.  Of several, as after a reload, the one that was started last.
sub store_process ($self) {
    my ($last) = $self->error_log =~ /.*start store process (\d+)$/ms or return;
    return slurp("/proc/$last/cmdline") =~ /^weir: store process/ ? $last : undef;
}

# The control process; undef: there is none.
sub control_process ($self) {
    my ($last) = $self->error_log =~ /.*start control process (\d+)$/ms or return;
    return slurp("/proc/$last/cmdline") =~ /^weir: control process/ ? $last : undef;
}

# The path of the control socket, and a connection to it.
sub control_path ($self) { "$self->{dir}/logs/weir.pid.control" }
sub control_client ($self) {
    require Weir::Control;
    return Weir::Control->connect($self->control_path);
}

# A tool beside the instance: (exit code, what it printed).
sub tool ($self, @words) { $self->run('-p', "$self->{dir}/", '-c', 'conf/weir.conf', '-e', 'logs/error.log', @words) }

# The program run to its end with other arguments: (exit code, what it printed).
sub run ($self, @arguments) {
    my $file = "$self->{dir}/run.output";
    unlink $file;
    my $pid = $self->{guard}->exec($file, $self->environment, $self->{bin}, map { $self->fill_in($_) } @arguments);
    my $status = $self->{guard}->wait($pid, $Weir::Wire::DEADLINE) // do {
        $self->{guard}->end($pid);
        die "deadline: $self->{bin} @arguments did not end\n";
    };
    $self->{guard}->end($pid);
    return ($status & 127 ? 128 + ($status & 127) : $status >> 8, slurp($file));
}

# `-t` on a text: (exit code, what it printed).
sub check_conf ($self, $text, %arg) {
    $self->{conf} = { text => $text, %arg };
    $self->_write_conf;
    return $self->run('-t', '-p', "$self->{dir}/", '-c', 'conf/weir.conf');
}

# -- what it left to read --

sub slurp ($path) {
    open my $in, '<:raw', $path or return '';
    local $/;
    return <$in> // '';
}

sub output ($self)     { slurp("$self->{dir}/output") }
sub error_log ($self)  { slurp("$self->{dir}/logs/error.log") }
sub access_log ($self, $name = 'access.log') { slurp("$self->{dir}/logs/$name") }

# The first match in the error log: what it captured, or the whole of it.  from => offset
sub wait_for_log ($self, $pattern, %arg) { $self->_wait_text('error.log', $pattern, %arg) }
sub wait_for_access ($self, $pattern, $name = 'access.log') { $self->_wait_text($name, $pattern) }

sub _wait_text ($self, $name, $pattern, %arg) {
    my $until = time + ($arg{seconds} // $Weir::Wire::DEADLINE);
    while (1) {
        my $text = slurp("$self->{dir}/logs/$name");
        $text = substr $text, $arg{from} if $arg{from};
        return $1 // $& if $text =~ $pattern;
        die "deadline: $name never said $pattern; it says:\n" . substr($text, -4000) . "\n" if time > $until;
        sleep 0.003;
    }
}

# Built with a sanitizer: its memory is not Weir's.
sub is_sanitized ($self) { $self->{is_sanitized} //= ($self->run('-V'))[1] =~ /sanitize/ ? 1 : 0 }

# Resident memory of the workers together, in KiB.
sub memory ($self) {
    my $sum = 0;
    for my $pid ($self->workers) {
        $sum += $1 if slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m;
    }
    return $sum;
}

# -- the silent assertions --

# Descriptors of a process: [ number, what it is ].
sub _fds ($self, $pid) {
    opendir my $dir, "/proc/$pid/fd" or return;
    return map { [ $_, readlink "/proc/$pid/fd/$_" ] } grep { /^\d/ } readdir $dir;
}

# inode => "state local-port remote-port" of TCP sockets
sub _tcp_sockets () {
    my %by_inode;
    for my $file ('/proc/net/tcp', '/proc/net/tcp6') {
        open my $in, '<', $file or next;
        while (my $line = <$in>) {
            my @f = split " ", $line;
            my ($local, $remote) = map { hex((split /:/)[1] // 0) } @f[ 1, 2 ];
            $by_inode{ $f[9] } = [ $f[3], $local, $remote ] if $f[9];
        }
    }
    return \%by_inode;
}

# Descriptors that a worker holds beyond those it began with. Idle connections kept to an upstream are its right: those are
# established and not on a port that this server listens on.
sub _leaks ($self) {
    my %listens = map { $_ => 1 } values $self->{ports}->%*;
    my (@leaks, %store);
    for my $pid (sort keys(($self->{fds} // {})->%*)) {
        my $sockets = _tcp_sockets();
        my %before;
        $before{ _kind($_->[1]) }++ for $self->{fds}{$pid}->@*;
        for my $fd ($self->_fds($pid)) {
            my $what = $fd->[1] // next;
            if ($what =~ /^socket:\[(\d+)\]/) {
                my $tcp = $sockets->{$1};
                next if $tcp && $tcp->[0] eq '01' && !$listens{ $tcp->[1] };
                $what .= sprintf ' (state %s, port %d to %d)', @$tcp if $tcp;
            }
            next if $what =~ m{/(?:lock|weir\.mdb(?:-lock)?)(?: \(deleted\))?$} && !$store{"$pid $what"}++;    # the store, opened once
            push @leaks, "worker $pid: descriptor $fd->[0] is $what" if --($before{ _kind($what) } //= 0) < 0;
        }
    }
    return @leaks;
}

sub _kind ($what) { $what =~ /^(socket|pipe|anon_inode:\S+)/ ? $1 : $what =~ s/ \(deleted\)$//r }

# What is wrong with it now, before it is stopped.
sub problems_running ($self) {
    return unless $self->{pid};
    my @problems;
    my $until = time + 3;
    while ($self->{fds} && !$self->{workers_may_change} && !$self->{descriptors_may_stay}) {
        my @leaks = $self->_leaks or last;
        if (time > $until) { push @problems, @leaks; last }
        sleep 0.01;
    }
    my $expected = join ' ', ($self->{started_workers} // [])->@*;
    my $now = join ' ', $self->workers;
    push @problems, "workers were $expected and are $now"
        unless $self->{workers_may_change} || $self->{is_nginx} || $expected eq $now;
    return @problems;
}

# And after.
sub problems_stopped ($self) {
    my @problems;
    my $status = $self->{exit_status};
    if (defined $status) {
        my $allowed = $self->{allowed_status} // 0;
        push @problems, "$self->{bin} ended with wait status $status" unless $status == $allowed;
        push @problems, "processes were left: @{$self->{left}}" if $self->{left}->@*;
    }
    for my $line (split /\n/, $self->error_log . $self->output) {
        next unless $line =~ /\[(?:alert|emerg)\]|exited on signal|assert|Sanitizer|runtime error/;
        next if grep { $line =~ $_ } ($self->{allowed} // [])->@*;
        push @problems, "in the log: $line";
    }
    push @problems, map { "sanitizer report:\n" . slurp($_) } glob "$self->{dir}/san/report*";
    return @problems;
}

# Lines of the log that would otherwise fail the test.
sub allow_log ($self, @patterns)     { push $self->{allowed}->@*, @patterns; return $self }
sub workers_may_change ($self)       { $self->{workers_may_change} = 1; return $self }
sub descriptors_may_stay ($self)     { $self->{descriptors_may_stay} = 1; return $self }
sub may_end_with ($self, $status)    { $self->{allowed_status} = $status; return $self }

1;
