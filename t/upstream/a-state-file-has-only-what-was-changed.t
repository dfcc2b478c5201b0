# What is added at run time is in the file of `state` as it is meant, or is refused: a path of a socket with characters
# of the file's notation makes no second server of it, and no file that a reload cannot read.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a state file has only what was changed')->needs_weir;
my $a    = $w->origin(sub { shift->reply(200, 'a') });
my $file = $w->dir . '/servers.state';
my $conf = "upstream api { state $file; } server { location / { proxy_pass http://api; } }";
$w->conf($conf)->allow_log(qr{upstream\.none|no servers|state});
is $w->get("/")->status, 502, "a group of none";
is +($w->tool('upstream', 'api', 'add', "$a"))[0], 0, 'a server';
for my $path ('/tmp/a b', '/tmp/a;server 10.9.8.7:80', '/tmp/a{', '/tmp/a}', '/tmp/a"b', "/tmp/a'b") {
    my ($code, $said) = $w->tool('upstream', 'api', 'add', "unix:$path", 'down');
    ok $code == 1 && $said =~ /cannot be kept/, "unix:$path is refused" or diag "$code: $said";
}
my $text = do { open my $in, '<', $file or die; local $/; <$in> };
is $text, "server $a;\n", 'the file has the one server';
($text) = ($w->check_conf($conf));
is $text, 0, 'and can be read';
is +($w->tool('upstream', 'api', 'add', 'unix:/tmp/a#b', 'down'))[0], 0, 'a path that can be kept';
$w->reload($conf);
like +($w->tool('upstream', 'api', 'list'))[1], qr{^unix:/tmp/a\#b +configuration}m, 'is';
is $w->get('/')->body, 'a', 'the server serves';

# Two groups with one file would write each other's servers away.
my ($code, $said) = $w->check_conf("upstream a { state $file; } upstream b { state $file; }");
ok $code != 0 && $said =~ /weir\.conf:\d+/, 'one file for two groups is refused' or diag $said;
done_testing;
