# Fifty times (WEIR_SOAK_KILLS) the whole gateway is killed while it counts a quota and consumers are made: what was acknowledged - by
# `store flush`, or by the tool that made a consumer - is there again, and nothing is counted that was not asked for.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time sleep);
use Weir::Store;
use Weir::Test;

my $kills = $ENV{WEIR_SOAK_KILLS} // 50;
my $w     = Weir::Test->new('quotas survive fifty kills');
$w->time_limit(120 + 4 * $kills);
Weir::Store::not_at_the_end_of_a_month();
my $origin = $w->origin;
my $limit  = 1_000_000_000;
$w->conf(<<"END", main => "store_path store;\nstore_flush 20ms;\n", workers => 2)->workers_may_change->allow_log(qr/exited on signal 9/);
    quota_zone \$arg_k zone=month:1m per=month;
    access_log off;
    server { quota zone=month limit=$limit; quota_headers on; location / { proxy_pass http://$origin; } }
END
$w->start;

# Asks all the time, whatever becomes of the connection: a byte in one file before a request is sent, one in another when it was admitted.
my ($sent, $admitted, $stop) = map { $w->dir . "/$_" } qw(sent admitted stop);
my @loaders = map {
    my $number = $_;
    my $pid = fork // die;
    if (!$pid) {
        open my $out, '>>', $sent or die;
        open my $in, '>>', $admitted or die;
        my $client;
        until (-e $stop) {
            eval {
                $client //= $w->client;
                syswrite $out, 's';
                my $answer = $client->send_request('GET', '/?k=load')->read_response;
                die 'status ' . $answer->status unless $answer->status == 200;
                syswrite $in, 'a';
                $client = undef unless $answer->is_kept;
                1;
            } or do { undef $client; sleep 0.005 };
        }
        require POSIX;
        POSIX::_exit(0);
    }
    $pid;
} 1 .. 3;
my $size = sub ($file) { -s $file // 0 };
my $used = sub () {
    my $answer = $w->get('/?k=load');
    my ($left) = $answer->header('RateLimit') =~ /;r=(\d+);/;
    return $limit - $left - 1;                   # without this one
};

my ($asked, $lost, $invented, $forgotten, $slowest, $counts_before) = (0, 0, 0, 0, 0, 0);
my (@acknowledged, %tried);
for my $round (1 .. $kills) {
    my $admitted_before = $size->($admitted);
    $w->wait_until('some are admitted', sub { $size->($admitted) > $admitted_before + 20 });
    my $consumer = "consumer-$round";
    $tried{$consumer} = 1;
    if ($round % 2) {
        push @acknowledged, $consumer if ($w->tool('consumer', 'add', $consumer))[0] == 0;
    }
    # Admitted before the flush was asked for: durable when it is answered.
    my $at_least = $size->($admitted);
    my ($code, $said) = $w->tool(qw(store flush));
    is $said, '', 'flushed' if $code;
    $at_least = $at_least - $admitted_before + $counts_before;
    sleep rand 0.06;
    my $racing = $round % 2 ? undef : fork // die;
    if (defined $racing && !$racing) {           # one whose acknowledgement is not waited for
        exec $w->bin, '-p', $w->dir . '/', '-c', 'conf/weir.conf', '-e', 'logs/error.log', 'consumer', 'add', $consumer;
    }
    sleep rand 0.02;
    Weir::Store::kill_all($w);
    if (defined $racing) {
        waitpid $racing, 0;
        push @acknowledged, $consumer if $? == 0;
    }
    my $sent_before = $size->($sent);
    my $started = time;
    $w->start;
    $slowest = time - $started if time - $started > $slowest;
    $admitted_before = $size->($admitted);
    my $now = $used->();
    $asked++;
    $lost++     if $now < $at_least;
    $invented++ if $now > $size->($sent) + $asked;
    $counts_before = $now + 1;
    my %there = map { $_ => 1 } ($w->tool(qw(consumer list)))[1] =~ /^(consumer-\d+) /mg;
    $forgotten += grep { !$there{$_} } @acknowledged;
    $invented  += grep { !$tried{$_} } keys %there;
}
open my $end, '>', $stop or die;
close $end;
waitpid $_, 0 for @loaders;

is $lost, 0, "of what was counted before a flush nothing was lost in $kills kills";
is $forgotten, 0, 'of consumers that were acknowledged none: ' . @acknowledged;
is $invented, 0, 'and nothing was invented';
ok @acknowledged >= $kills / 2, 'there were some';
my $final = $used->();
note sprintf '%d admitted, %d counted, the slowest start took %d ms', $size->($admitted), $final, 1000 * $slowest;
ok $final > $size->($admitted) / 2, 'most of what was admitted is counted';
is +($w->tool(qw(store check)))[1], "0 faults\n", 'the store is whole';

done_testing;
