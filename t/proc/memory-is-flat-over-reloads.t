# What a generation took goes back to the kernel when the next one serves: after twenty reloads that change everything a worker and the master
# have what they had after the first.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('memory is flat over reloads')->needs_weir;
plan(skip_all => 'a sanitizer keeps what is freed') if $w->is_sanitized;
$w->time_limit(300);
my $text = sub ($n) {
    join '', (map { "upstream group$_ { server 127.0.0.1:1 weight=$n; server 127.0.0.2:1 weight=$n; server 127.0.0.3:1; }\n" } 1 .. 2000),
        "server { location / { return 200 'number $n'; }\n",
        (map { "location /place$_/ { proxy_pass http://group$_; proxy_set_header Number $n; }\n" } 1 .. 2000), "}\n";
};
my $kib = sub ($pid) {
    open my $in, '<', "/proc/$pid/smaps_rollup" or die "/proc/$pid/smaps_rollup: $!";
    local $/;
    return <$in> =~ /^Anonymous:\s+(\d+)/m ? $1 : die "no figure of $pid";
};

$w->conf($text->(1), workers => 2)->start;
my @pids  = ($w->pid, $w->workers);
my %start = map { $_ => $kib->($_) } @pids;
my $flat  = sub ($n, $of, $more) {
    for my $pid (@pids) {
        my $last;
        $w->wait_until("process $pid has given back what it had (it has " . $kib->($pid) . " KiB, at first $of->{$pid})",
            sub { ($last = $kib->($pid)) <= $of->{$pid} * $more });
        ok $last <= $of->{$pid} * $more, "reload $n: $last KiB in process $pid, $of->{$pid} before";
    }
};
for my $n (2 .. 21) {
    $w->reload($text->($n));
    is $w->get('/')->body, "number $n", "reload $n serves" if $n % 5 == 1;
    $flat->($n, \%start, 1.35) if $n == 2;
    if ($n == 4) {
        $flat->($n, \%start, 1.35);
        %start = map { $_ => $kib->($_) } @pids;
    }
}
$flat->(21, \%start, 1.1);
done_testing;
