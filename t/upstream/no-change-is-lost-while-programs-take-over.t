# Servers are changed one after another while one program after another takes over (`weir -s upgrade`): a change that was
# answered is known to the program that serves in the end, and no client waits for an answer that does not come.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep);
use Weir::Test;

my ($servers, $upgrades) = (200, 3);
my $w    = Weir::Test->new('no change is lost while programs take over')->needs_weir->workers_may_change;
my $good = $w->origin(sub { shift->reply(200, 'ok') });
my @all  = map { "127.0.0.2:$_" } 1 .. $servers;
$w->conf(<<"END", workers => 2)->start;
    upstream api { server $good; @{[ map { "server $_ down;" } @all ]} }
    server { location / { proxy_pass http://api; } }
END
my $stop = $w->dir . '/barrier.stop';
my $end  = $w->child(sub {
    my (%known, $control, $made);
    my ($n, $refused, $silent) = (0, 0, 0);
    local $SIG{ALRM} = sub { die "silent\n" };
    until (-e $stop) {
        $control //= eval { $w->control_client } or do { sleep 0.005; next };
        my ($server, $weight) = ($all[ $n++ % @all ], 2 + $n % 97);
        my ($status) = eval {
            alarm 20;
            $control->write($control->encode(PATCH => "/v1/upstreams/api/servers/$server", { weight => $weight }));
            $control->read;
        };
        $silent++ if $@ eq "silent\n";
        alarm 0;
        if (($status // 0) == 200) { $known{$server} = $weight; $made++; next }
        delete $known{$server};      # nobody knows whether it was made
        $refused++;
        undef $control;
        sleep 0.005;
    }
    print STDERR encode_json({ known => \%known, made => $made, refused => $refused, silent => $silent });
});
for (1 .. $upgrades) {
    sleep 0.2;                       # changes come all the while
    my ($code, $said) = $w->tool(qw(-s upgrade));
    is $code, 0, 'another program takes over' or diag $said;
    $w->wait_until('it is there', sub { eval { $w->taken_over } });
}
$w->pass('stop');
my (undef, $said) = $end->(30);
my $seen = decode_json($said);
diag "$seen->{made} changes, $seen->{refused} refused";
is $seen->{silent}, 0, 'each change is answered, or its connection ends';
my (undef, $list) = $w->tool('upstream', 'api', 'list', '--json');
my %now = map { ($_->{server} => $_->{weight}) } decode_json($list)->{servers}->@*;
is scalar(grep { $now{$_} != $seen->{known}{$_} } keys $seen->{known}->%*), 0, 'all that were answered are made';
cmp_ok scalar(keys $seen->{known}->%*), '>', $servers / 2, 'of many';
is $w->get('/')->body, 'ok', 'and the group serves';

done_testing;
