# Weir::Fault - makes each allocation and each system call of a scripted flow fail, one after another (t/fault/seams.c).
#
#     my $w     = Weir::Fault->test('every failure is survived');      # a Weir::Test with weir-fault; one worker
#     my $fault = $w->{fault};
#     $w->conf(...);
#     $fault->sweep('a request', flow => sub ($n) { ... 'right' });
#
# A flow runs again and again: with its first call failing, with its second, … in each way that the call can fail, until one run
# has not as many calls. It returns a word for what its client saw (right, refused, closed) or dies: then the answer was wrong,
# or there was none. After each run the worker must be the same, have no descriptor too many and serve as if nothing had been.
package Weir::Fault;
use v5.36;

use Digest::MD5 ();
use Scalar::Util ();
use Time::HiRes qw(sleep time);
use Weir::Test;

BEGIN { $ENV{WEIR_BIN} //= Weir::Test::root() . '/objs/weir-fault' }

our $DEADLINE = 3;                                   # seconds a client waits: more is a hang

my %modes  = (off => 0, count => 1, once => 2, from => 3);
my %kinds  = (allocations => 1, calls => 2, all => 3);
my $magic  = 0x746c6657;
my $layout = 'LLlLLLQQQZ32Z32lLQ16';
my @names  = qw(magic mode target kinds which n_errors at calls hits only name error n_frames);

sub test ($class, $sentence) {
    Test::More::plan(skip_all => "$ENV{WEIR_BIN} does not inject faults") unless $ENV{WEIR_BIN} =~ /weir-fault$/;
    my $w = Weir::Test->new($sentence);
    $Weir::Wire::DEADLINE = $DEADLINE;
    $w->time_limit(600);
    # What an operator should be told of, and is here.
    $w->allow_log(qr/\(\d+: [A-Z]/, qr/There was no memory/, qr/worker_connections/);
    my $file = $w->dir . '/fault';
    $ENV{WEIR_FAULT_FILE} = $file;
    open my $fh, '+>:raw', $file or die "$file: $!\n";
    my $self = $w->{fault} = bless { w => $w, fh => $fh, log_at => 0 }, $class;
    Scalar::Util::weaken($self->{w});
    $self->_write(mode => 0);
    return $w;
}

# -- the control file --

sub _write ($self, %say) {
    my %all = (target => 0, kinds => 3, which => 0, at => 0, only => '', %say);
    my $bytes = pack $layout, $magic, 0, @all{qw(target kinds which)}, 0, $all{at}, 0, 0, $all{only}, '', (0) x 18;
    sysseek $self->{fh}, 0, 0;
    syswrite $self->{fh}, $bytes;
    $self->_mode($all{mode});
}

sub _mode ($self, $mode) {
    sysseek $self->{fh}, 4, 0;
    syswrite $self->{fh}, pack 'L', $mode;
}

# From now on the at-th call fails (once), or all from the at-th on (mode => 'from'), with the which-th of its errors.
# only => 'weir_sys_accept': only that seam takes part.  kinds => 'allocations' or 'calls'.
sub arm ($self, %arg) {
    $self->_write(mode => $modes{ $arg{mode} // 'once' }, target => $arg{target} // $self->worker, at => $arg{at} // 1,
        which => $arg{which} // 0, kinds => $kinds{ $arg{kinds} // 'all' }, only => $arg{only} // '');
}

sub disarm ($self) { $self->_mode(0); return $self->state }

sub state ($self) {
    sysseek $self->{fh}, 0, 0;
    sysread $self->{fh}, my $bytes, 248;
    my (%state, @values);
    @values = unpack $layout, $bytes;
    @state{@names} = splice @values, 0, scalar @names;
    $state{frames} = [ @values[ 0 .. $state{n_frames} - 1 ] ];
    return \%state;
}

# What failed and where, for a person.
sub where ($self, $state) {
    my $bin   = $self->{w}->bin;
    my $error = $state->{error} < 0 ? 'a short transfer' : do { local $! = $state->{error}; "$!" };
    my @where;
    for my $frame ($state->{frames}->@*) {
        my $text = sprintf '%#x', $frame - 1;
        open my $in, '-|', 'addr2line', '-sfe', $bin, $text or last;
        my ($function, $line) = map { chomp; $_ } <$in>;
        push @where, "$function ($line)" if defined $function && $function !~ /^(?:__wrap_|seams_|\?\?)/;
    }
    return "call $state->{at} was $state->{name}: $error; " . join ' < ', @where[ 0 .. ($#where > 7 ? 7 : $#where) ];
}

# -- what a run is measured by --

sub worker ($self) { $self->{worker} //= ($self->{w}->start->workers)[0] }

# Some runs without faults, so that what is made once is there; then this is what a worker at rest holds.
sub baseline ($self) {
    $self->{worker}      = ($self->{w}->workers)[0];
    $self->{descriptors} = $self->at_rest;
}

sub descriptors ($self) {
    opendir my $dir, '/proc/' . $self->worker . '/fd' or return -1;
    return scalar grep { /^\d/ } readdir $dir;
}

# Its descriptors when their number no longer changes.
sub at_rest ($self) {
    my ($last, $same) = (-1, 0);
    for (1 .. 200) {
        my $now = $self->descriptors;
        $same = $now == $last ? $same + 1 : 0;
        return $now if $same == 3;
        $last = $now;
        sleep 0.003;
    }
    return $last;
}

# Until the worker makes no further call: what it does behind an answer belongs to the flow.
sub settle ($self) {
    my $last = -1;
    for (1 .. 100) {
        my $now = $self->state->{calls};
        return if $now == $last;
        $last = $now;
        sleep 0.002;
    }
}

sub _children ($self) {
    my $master = $self->{w}->pid;
    return grep { Weir::Server::slurp("/proc/$_/cmdline") !~ /^weir: control process/ }
        split ' ', Weir::Server::slurp("/proc/$master/task/$master/children");
}

# The same, or where that may be, the one that took its place.
sub _worker_is_right ($self, $may_replace) {
    my $until = time + $DEADLINE;
    while ("@{[ $self->_children ]}" ne $self->{worker}) {
        my @children = $self->_children;
        return 0 if !$may_replace || time > $until;
        if (@children == 1 && $self->{w}->error_log =~ /worker process $self->{worker} .* is (?:replaced|killed)|$self->{worker}\#$self->{worker}: the master process has gone/) {
            $self->baseline;
            return 1;
        }
        sleep 0.01;
    }
    return 1;
}

# What is wrong after a run; kept: connections to peers that it may hold; may_replace: the master may replace the worker.
sub _aftermath ($self, $arg) {
    my $w = $self->{w};
    return 'the worker is another' unless $self->_worker_is_right($arg->{may_replace});
    my $answer = eval { $w->get('/ordinary') };
    return 'then an ordinary request failed: ' . ($@ || $answer->line) unless $answer && $answer->status == 200;
    my $allowed = $self->{descriptors} + ($arg->{kept} // 0);
    my $until   = time + $DEADLINE;
    while ((my $now = $self->descriptors) > $allowed) {
        return "it has $now descriptors, at most $allowed were expected" if time > $until;
        sleep 0.003;
    }
    return;
}

# A refusal has a cause, which the log tells.
sub _log_since ($self) {
    my $log = $self->{w}->error_log;
    my $new = substr $log, $self->{log_at};
    $self->{log_at} = length $log;
    return $new;
}

sub _run ($self, $arg, $at, $which) {
    $arg->{before}->() if $arg->{before};
    $self->arm(%{ $arg->{arm} // {} }, at => $at, which => $which);
    my $word = eval { $arg->{flow}->(++$self->{runs}) };
    my $why  = $@;
    $self->settle if defined $word;
    my $state = $self->disarm;
    $arg->{after}->() if $arg->{after};
    my @wrong = defined $word ? () : ($why || 'the flow said nothing');
    push @wrong, "without a fault it was $word" if !$state->{hits} && defined $word && $word ne 'right';
    push @wrong, $self->_aftermath($arg);
    my $log = $self->_log_since;
    push @wrong, "no cause was logged: $log" if ($word // '') eq 'refused' && $log !~ ($arg->{cause} // qr/cause: \S/);
    return ($word // 'wrong', $state, @wrong);
}

# Every call fails in one way; in all the ways that it can when no run before came by this path to it.
sub _errors_to_try ($self, $state) {
    my $path = join ' ', $state->{name}, $state->{frames}->@*;
    return $state->{n_errors} if $state->{which} || $ENV{WEIR_FAULT_ALL};
    return $self->{paths}{$path}++ ? 1 : $state->{n_errors};
}

# flow => sub ($n): n is another number each time; before, after => around it, without faults; arm => what arm() takes;
# kept => connections to peers that may stay; cause => what the log has after a refusal; may_replace => 1.  One assertion.
sub sweep ($self, $name, %arg) {
    my (%words, @problems);
    my ($faults, $at, $misses, $began) = (0, 0, 0, time);
    $self->_log_since;
    while ($misses < 2 && @problems < ($ENV{WEIR_FAULT_PROBLEMS} // 4)) {
        $at++;
        for (my $which = 0, my $n = 1; $which < $n; $which++) {
            my ($word, $state, @wrong) = $self->_run(\%arg, $at, $which);
            $words{$word}++;
            if ($state->{hits}) {
                $faults++;
                $misses = 0;
                $n = $self->_errors_to_try($state);
            } else {
                $misses++;
            }
            if (@wrong) {
                push @problems, ($state->{hits} ? $self->where($state) : 'no call failed') . "\n  " . join "\n  ", @wrong;
                $self->baseline_again;
                last;
            }
        }
    }
    my $counts = join ', ', map { "$_ $words{$_}" } sort keys %words;
    my $took   = time - $began;
    Test::More::ok(!@problems && $faults, sprintf '%s: %d faults (%s) in %.1f s', $name, $faults, $counts, $took)
        or Test::More::diag(join "\n", @problems);
    return $faults;
}

# After a problem: what is now is what later runs are measured by.
sub baseline_again ($self) {
    for (1 .. 100) {
        last if $self->{w}->workers == 1 && eval { $self->{w}->get('/ordinary')->status == 200 };
        sleep 0.05;
    }
    $self->baseline;
}

# -- the other side --

# Tells in its answer what it was sent, so that a client knows whether the answer is its own.
sub telling_origin ($self) {
    return $self->{w}->origin(sub ($c) {
        my $q = $c->request;
        $c->reply(200, told($q->method, $q->target, $q->body));
    });
}

sub told ($method, $target, $body = '') { join ' ', $method, $target, length $body, Digest::MD5::md5_hex($body) }

# -- what a client saw --

# A request of its own connection to the telling origin; headers => [], body, raw => bytes of the whole request, told => the answer.
sub ask ($self, $method, $target, %arg) {
    my $client = $self->{w}->client;
    $client->send($arg{raw} // Weir::Client::request_text($method, $target, %arg{grep { exists $arg{$_} } qw(headers body)}));
    my $told  = $arg{told} // told($method, $target, $arg{body} // '');
    my $right = sub ($answer) { $answer->status == 200 && $answer->body eq $told };
    my $word  = eval { $self->judge($client, $right, method => $method) };
    my $why   = $@;
    $client->close;
    return $word // die $why;
}

# Reads an answer: right when is_right says so, refused (a 4xx or 5xx of Weir's), closed; anything else is an exception.
sub judge ($self, $client, $is_right, %arg) {
    my $answer = eval { $client->read_response(%arg) };
    return judge_end($@) unless $answer;
    return 'right'   if $is_right->($answer);
    return 'refused' if $answer->status >= 400;
    die 'a wrong answer: ' . $answer->head . "\n" . Weir::Message::show($answer->body) . "\n";
}

# The exception of a connection that ended is no wrong answer.
sub judge_end ($why) {
    return 'closed' if $why =~ /^eof:/;
    die $why;
}

1;
