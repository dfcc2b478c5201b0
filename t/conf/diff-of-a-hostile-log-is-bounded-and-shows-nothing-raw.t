# `weir diff --traffic LOG` of a log that clients have written into: terminal escapes, NUL, bytes that are no text, marks that turn the direction of
# what is shown, lines without end and a hundred thousand shapes: nothing leaves raw, everything is counted, memory stays small.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('diff of a hostile log is bounded and shows nothing raw')->needs_weir;
my $conf = sub ($name, $status) { $w->write_file("conf/$name.conf", "error_log stderr;\nevents { }\nhttp { server { listen 8080; server_name a.example; location / { return $status; } location /same { return 200; } } }\n") };
$conf->(old => 200);
$conf->(new => 203);
my $line = sub ($target, $agent = '-') { qq{10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET $target HTTP/1.1" 200 3 "-" "$agent"\n} };
my @evil = ("\e]0;title\a", "\e[2J", "\x{9b}31m", "\xc2\x9b31m", "\xe2\x80\xae", "\xff\xfe", "\0", "\r", "\x7f", "%n%s", '\\x1b[31m', '\\x00', '\\xc2\\x9b2J');
my $log = join '', map { $line->("/$_") } @evil;
$log .= join '', map { "$_\n" } @evil;
$log .= join '', map { "GET http://$_/\n" } @evil;
$log .= 'x' x 300_000 . "\n";                                   # more than a line may have
$log .= $line->('/same/' . 'a/' x 60_000);                      # less than that, and more than a request may have
$log .= $line->("/shape$_/x") for map { chr(97 + $_ / 1000 % 26) . chr(97 + $_ / 40 % 25) . $_ } 1 .. 100_000;
$log .= 'y' x 600_000;                                          # and the last one does not end
$w->write_file('log', $log);
my $lines = grep { /[^\r]/ } split /\n/, $log;             # (an empty one is none)
my $run = sub (@more) {
    $w->command(120, 'sh', '-c', 'ulimit -d 65536; exec "$0" "$@"', $w->bin, '-p', $w->dir . '/', '-e', 'stderr', 'diff', @more, '--traffic', $w->dir . '/log', 'conf/old.conf', 'conf/new.conf');
};
my $is_asan = `nm @{[ $w->bin ]} 2>/dev/null` =~ /__asan_init/;
$run = sub (@more) { $w->command(300, $w->bin, '-p', $w->dir . '/', '-e', 'stderr', 'diff', @more, '--traffic', $w->dir . '/log', 'conf/old.conf', 'conf/new.conf') } if $is_asan;
for my $how ([], ['--json']) {
    my ($code, $said) = $run->(@$how);
    is $code, 2, "@$how: it changes" or diag substr $said, 0, 2000;
    my ($bad) = $said =~ /([^\n\x20-\x7e].{0,40})/s;
    is $bad, undef, 'nothing but printable characters and line ends';
    if (@$how) {
        my $t = Weir::Json::decode($said =~ /^(\{.*\})$/m)->{traffic};
        is $t->{lines}, $lines, 'each line is counted';
        is $t->{requests} + $t->{skipped}, $lines, 'as a request or as none';
        is $t->{too_long}, 2, 'two of them are too long';
        is scalar $t->{changes}->@*, 4096, 'as many shapes as there is room for are told apart';
        my $sum = 0;
        $sum += $_->{count} for $t->{changes}->@*;
        is $sum + $t->{of_more_shapes}, $t->{changed}, 'and the rest is counted';
        cmp_ok $t->{changed}, '>=', 100_000, 'all that change';
        cmp_ok $t->{skipped}, '>', 20, 'what is no request is none';
        is $t->{lose_route}, 0, 'what is refused by both loses nothing';
    } else {
        like $said, qr/^         such as \S/m, 'lines that are no requests are shown';
        like $said, qr/^         and \d+ shapes more \(--json shows all\)$/m, 'not all changes are';
    }
}
done_testing;
