# What a running program gives to the one that takes over is checked before anything is done with it: nonsense ends the start.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a broken inheritance is refused')->needs_weir;
my $dir = $w->dir;
$w->conf("server { location / { return 200 ok; } }");
$w->write_file('conf/weir.conf', "daemon off; pid logs/other.pid; error_log logs/other.log; events {} http { server { listen unix:$dir/other; } }\n");

# As the running one gives it: the descriptor of a file, its number in the environment.  fd 3 is such a file, 4 is open, 5 is not.
my $start = sub ($number, $table = undef) {
    $w->write_file('table', $table // '');
    my $command = "exec 3<'$dir/table' 4</dev/null 5<&-; WEIR_INHERITED='$number' exec timeout 10 '" . $w->bin . "' -p '$dir/' -c conf/weir.conf 2>&1";
    my $said = qx{/bin/sh -c "$command"};
    return ($? >> 8) . " $said";
};
my $refused = qr/^1 weir: the environment's WEIR_INHERITED is not what a running weir gives to the one it starts$/m;
like $start->($_), $refused, "the number \"$_\"" for '', 'x', '-1', '0', '2', '5', '99', '2147483648', '99999999999999999999';
my %broken = (
    'nothing' => '', 'no end of line' => 'ready 4', 'no word' => "\n", 'another word' => "what 4\nready 4\n", 'nobody to tell' => "listen 4\n",
    'no descriptor' => "listen\nready 4\n", 'one that is not open' => "listen 4 5\nready 4\n", 'a standard one' => "listen 1\nready 4\n",
    'no number' => "listen 4 x\nready 4\n", 'a zone without one' => "zone x\nready 4\n", 'NUL' => "listen 4\0\nready 4\n",
    'too many' => 'listen' . ' 4' x 20000 . "\nready 4\n", 'too long' => "listen 4\n" x 40000 . "ready 4\n",
);
like $start->(3, $broken{$_}), $refused, $_ for sort keys %broken;
$w->allow_log(qr/taking over listening sockets failed/);
unlike $start->(3, "listen 4\nready 4\n"), $refused, 'a good table that names what is no socket is another error';
ok !-e "$dir/other", 'nothing was begun';
ok !-e "$dir/logs/other.pid", 'not even a pid file';

done_testing;
