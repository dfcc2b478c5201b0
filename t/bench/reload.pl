#!/usr/bin/perl
# t/bench/reload.pl - what reloads of a running nginx or weir cost, one figure a line: its name and its number.
#
#     t/bench/reload.pl MASTER_PID PORT CONFIGURATION QUIET TRICKLED
#
# The configuration has a line `return 200 "generation N";` in the location / of PORT, whose N is one more at each reload.  First come QUIET reloads
# with nobody asking: the CPU time of all processes from the signal until nobody has worked for a while, and the memory of all of them then, as
# nobody is old any more.  Then TRICKLED ones while a client asks all the time, each time by a new connection: the time to live is that of the last
# old answer, the stall the longest wait for an answer.
use strict;
use warnings;
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep time clock_gettime CLOCK_MONOTONIC);

my ($master, $port, $conf, $quiet, $trickled) = @ARGV;
defined $trickled or die "usage: t/bench/reload.pl MASTER_PID PORT CONFIGURATION QUIET TRICKLED\n";
my ($generation) = slurp($conf) =~ /return 200 "generation (\d+)/ or die "$conf says no generation\n";

settle();
tell_memory('start');
my @cpu;
for my $i (1 .. $quiet) {
    my $before = cpu_seconds();
    next_generation();
    settle();
    push @cpu, cpu_seconds() - $before;
    tell_memory("after$i") if $i == 1 || $i == $quiet;
}
figure('cpu_ms', 1000 * median(@cpu)) if @cpu;
my (@live, @stall);
for (1 .. $trickled) {
    my ($live, $stall) = trickle();
    push @live, $live;
    push @stall, $stall;
    settle();
}
exit 0 if !@live;
figure('live_ms', 1000 * median(@live));
figure('stall_ms', 1000 * (sort { $a <=> $b } @stall)[-1]);

sub figure { printf "%s %.1f\n", @_ }

sub next_generation {
    $generation++;
    my $text = slurp($conf);
    $text =~ s/(return 200 "generation )\d+/$1$generation/ or die "$conf says no generation\n";
    open my $out, '>', "$conf.new" or die "$conf.new: $!\n";
    print $out $text;
    close $out or die "$conf.new: $!\n";
    rename "$conf.new", $conf or die "$conf: $!\n";
    kill 'HUP', $master or die "the master has gone\n";
}

sub trickle {
    my ($last_old, $stall) = (0, 0);
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {            # when the client is at it
        sleep 0.2;
        next_generation();
        exit 0;
    }
    my $want = $generation + 1;
    my ($began, $end, $ended) = (undef, time + 120, undef);
    while (time < $end) {
        my $asked = time;
        my $is_new = ask() == $want;
        my $now = time;
        if (!$ended && waitpid($pid, 1) == $pid) {
            $ended = $now;
        }
        $stall = $now - $asked if $now - $asked > $stall;
        $began = $now if $is_new && !defined $began;
        $last_old = $now if !$is_new;
        last if $ended && defined $began && $now - $last_old > 1.5;
        sleep 0.001;
    }
    defined $began or die "the new configuration does not come\n";
    $generation++;
    return ($last_old - $ended, $stall);
}

# The generation that answers.
sub ask {
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 20) or die "no connection: $!\n";
    print $socket "GET / HTTP/1.1\r\nHost: none\r\nConnection: close\r\n\r\n";
    local $/;
    my $answer = <$socket> // '';
    return $answer =~ /^generation (\d+)/m ? $1 : die "no answer: $answer\n";
}

sub processes { my ($pid) = @_; return ($pid, map { processes($_) } map { split ' ', slurp($_) } glob "/proc/$pid/task/*/children") }

# Of all processes with their threads, and of those that have gone.
sub cpu_seconds {
    my $sum = 0;
    for my $pid (processes($master)) {
        my $clock = (~(0 + $pid) << 3 | 2) & 0xffffffff;
        $clock -= 1 << 32 if $clock >= 1 << 31;
        my $own = eval { clock_gettime($clock) } // 0;
        $sum += $own if $own > 0;
    }
    my @stat = split ' ', slurp("/proc/$master/stat") =~ s/^.*\) //sr;
    return $sum + ($stat[13] + $stat[14]) / 100;
}

# Until they have worked less than 2 ms in 300, and no process comes or goes.
sub settle {
    my ($cpu, $who) = (cpu_seconds(), join ' ', sort { $a <=> $b } processes($master));
    for (1 .. 200) {
        sleep 0.3;
        my ($now, $are) = (cpu_seconds(), join ' ', sort { $a <=> $b } processes($master));
        return if $now - $cpu < 0.002 && $are eq $who;
        ($cpu, $who) = ($now, $are);
    }
    die "the processes do not come to rest\n";
}

sub tell_memory {
    my ($when) = @_;
    my ($pss, $rss, $most) = (0, 0, 0);
    for my $pid (processes($master)) {
        my %of = slurp("/proc/$pid/smaps_rollup") =~ /^(Pss|Rss):\s+(\d+) kB/mg;
        $pss += $of{Pss} // 0;
        $rss += $of{Rss} // 0;
        $most = $of{Rss} if $pid != $master && ($of{Rss} // 0) > $most;
    }
    figure("pss_$when", $pss / 1024);
    figure("rss_$when", $rss / 1024);
    figure("worker_$when", $most / 1024);
}

sub median { my @sorted = sort { $a <=> $b } @_; return @sorted % 2 ? $sorted[ @sorted / 2 ] : ($sorted[ @sorted / 2 - 1 ] + $sorted[ @sorted / 2 ]) / 2 }

sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or return '';
    local $/;
    return scalar(<$in>) // '';
}
