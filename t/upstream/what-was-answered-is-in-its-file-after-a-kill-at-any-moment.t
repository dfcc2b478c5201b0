# With `state`, a change that was answered is in the file, whenever the master, or every process, is killed; and the file is
# whole at every moment.  Changes of a group without a file are answered meanwhile as ever.
use v5.36;
use lib 't/lib';
use IO::Socket::UNIX;
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Test;

my $w    = Weir::Test->new('what was answered is in its file after a kill at any moment')->needs_weir;
local $SIG{PIPE} = 'IGNORE';
my $file = $w->dir . '/servers.state';
my $back = $w->port('back');
$w->time_limit(120);
$w->conf("upstream api { state $file; } upstream other { server 127.0.0.1:$back; } server { location / { return 200 ok; } }",
    workers => 2)->allow_log(qr/exited on signal 9/)->workers_may_change->descriptors_may_stay->start;

my $whole = sub {
    open my $in, '<', $file or return ({}, 1);
    local $/;
    my $text = <$in> // '';
    my %there = map { $_ => 1 } $text =~ /^server (\S+)(?: weight=\d+)?;$/mg;
    return (\%there, scalar(keys %there) == ($text =~ tr/\n//) && ($text eq '' || $text =~ /;\n\z/));
};
my $children = sub {
    open my $in, '<', "/proc/$w->{pid}/task/$w->{pid}/children" or return;
    return split ' ', <$in> // '';
};
my ($acknowledged, $missing, $broken, $next, %wanted) = (0, 0, 0, 0);
for my $round (0 .. 9) {
    my $socket = IO::Socket::UNIX->new(Peer => $w->dir . '/logs/weir.pid.control') or die "control socket: $!";
    my (@asked, @processes);
    my $until = time + 0.05 + rand 0.25;
    my ($read, $killed) = ('', 0);
    # A burst without end in sight; what is answered is noted, to the last byte before the kill.
    while (1) {
        while (@asked < 60) {
            my $server = sprintf '127.2.%d.%d:80', $next >> 8, $next & 255;
            my $kind   = $next++ % 4 == 3 && %wanted ? 'upstream.remove' : 'upstream.add';
            ($server) = sort keys %wanted if $kind eq 'upstream.remove';
            delete $wanted{$server} if $kind eq 'upstream.remove';
            push @asked, [ $kind, $server ];
            $socket->syswrite(encode_json({ do => $kind, group => 'api', server => $server }) . "\n") or last;
        }
        if (time > $until && !$killed++) {
            @processes = $children->();
            kill KILL => $w->{pid}, $round % 2 ? @processes : ();
        }
        my $n = $socket->sysread($read, 65536, length $read);
        last unless $n;
        while ($read =~ s/\A(.*)\n//) {
            my ($kind, $server) = (shift @asked)->@*;
            my $answer = decode_json($1);
            die "$kind $server: $1" unless $answer->{ok} && !$answer->{late};
            $acknowledged++;
            $wanted{$server} = 1 if $kind eq 'upstream.add';
        }
        my (undef, $is_whole) = $whole->();
        $broken++ unless $is_whole;
    }
    $w->{guard}->wait($w->{pid}, 10);
    undef $w->{pid};
    $w->wait_until('its workers have gone', sub { !grep { -e "/proc/$_/exe" } @processes });
    my ($there, $is_whole) = $whole->();
    $broken++ unless $is_whole;
    $missing += grep { !$there->{$_} } keys %wanted;
    $w->start;
    my ($code, $said) = $w->tool('upstream', 'api', 'list');
    my %listed = map { $_ => 1 } $said =~ /^(127\.2\.\S+)/mg;
    $missing += grep { !$listed{$_} } keys %wanted;
    %wanted = map { $_ => 1 } keys %listed;              # what was not answered may be there or not
    $next += 60;
}
cmp_ok $acknowledged, '>', 100, "$acknowledged changes were answered";
is $missing, 0, 'each of them is in the file, and there after the start';
is $broken, 0, 'the file is whole at every moment';

my $began = time;
my $n = 1000;
my $socket = IO::Socket::UNIX->new(Peer => $w->dir . '/logs/weir.pid.control') or die "control socket: $!";
my $sender = $w->child(sub { print $socket map { sprintf qq({"do":"upstream.add","group":"api","server":"127.3.%d.%d:80"}\n), $_ >> 8, $_ & 255 } 1 .. $n; $socket->flush });
my $good = 0;
for (1 .. $n) { my $line = <$socket>; $good++ if decode_json($line)->{ok} }
diag sprintf '%d changes that came together took %.3f s', $n, time - $began;
is $good, $n, 'a thousand that come together are answered';
my ($there) = $whole->();
is scalar(grep { /^127\.3\./ } keys %$there), $n, 'and are there';

done_testing;
