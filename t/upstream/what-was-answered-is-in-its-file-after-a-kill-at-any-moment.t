# With `state`, a change that was answered is in the file, whenever the master, or every process, is killed; and the file is
# whole at every moment.  Changes of a group without a file are answered meanwhile as ever.
use v5.36;
use lib 't/lib';
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
    my $control = $w->control_client;
    my $socket = $control->socket;
    my $path = '/v1/upstreams/api/servers';
    my (@asked, @processes);
    my $until = time + 0.05 + rand 0.25;
    my ($read, $killed) = ('', 0);
    # A burst without end in sight; what is answered is noted, to the last byte before the kill.
    while (1) {
        while (@asked < 60) {
            my $server = sprintf '127.2.%d.%d:80', $next >> 8, $next & 255;
            my $kind   = $next++ % 4 == 3 && %wanted ? 'remove' : 'add';
            ($server) = sort keys %wanted if $kind eq 'remove';
            delete $wanted{$server} if $kind eq 'remove';
            push @asked, [ $kind, $server ];
            $socket->syswrite($kind eq 'add' ? $control->encode(POST => $path, { server => $server })
                                             : $control->encode(DELETE => "$path/$server")) or last;
        }
        if (time > $until && !$killed++) {
            @processes = $children->();
            kill KILL => $w->{pid}, $round % 2 ? @processes : ();
        }
        my $n = $socket->sysread($read, 65536, length $read);
        last unless $n;
        while ($read =~ s{\AHTTP/1\.1 (\d+) [^\n]*\n(?:[^\r\n]+\r\n)*\r\n([^\n]*)\n}{}) {
            my ($kind, $server) = (shift @asked)->@*;
            next if $1 == 503 && $killed;    # the control process says that the master has gone
            die "$kind $server: $1 $2" unless $1 == ($kind eq 'add' ? 201 : 200) && $2 eq '{"ok":true}';
            $acknowledged++;
            $wanted{$server} = 1 if $kind eq 'add';
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
my $control = $w->control_client;
my $sender = $w->child(sub {
    $control->write($control->encode(POST => '/v1/upstreams/api/servers', { server => sprintf '127.3.%d.%d:80', $_ >> 8, $_ & 255 })) for 1 .. $n;
});
my $good = 0;
for (1 .. $n) { my ($status) = $control->read; $good++ if $status == 201 }
diag sprintf '%d changes that came together took %.3f s', $n, time - $began;
is $good, $n, 'a thousand that come together are answered';
my ($there) = $whole->();
is scalar(grep { /^127\.3\./ } keys %$there), $n, 'and are there';

done_testing;
