# A config map's ..data, a link to the whole folder and a folder in the place of another: what is behind them goes live.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Path ();
use Weir::Fragments;
use Weir::Test;

my $w = Weir::Test->new('fragments are swapped as Kubernetes does')->needs_weir;
my $dir = $w->dir . '/conf';
my $f = Weir::Fragments->new($w, 'conf/real');
my $text = sub ($n) { "extend server one { location = /a { return 200 a$n; } }" };
my $swap = sub ($to, $name) {
    symlink $to, "$dir/$name.tmp" or die "$name: $!\n";
    rename "$dir/$name.tmp", "$dir/$name" or die "$name: $!\n";
};

$f->put("..$_/a.conf", $text->($_)) for 1 .. 2;
$swap->('..1', 'real/..data');
symlink '..data/a.conf', "$dir/real/a.conf" or die $!;
$swap->('real', 'parts');
$w->conf('fragments parts; server { server_name one; location / { return 404 none; } }');
is $f->answer('/a'), '200 a1', 'a link to a link is a fragment';

$swap->('..2', 'real/..data');
$f->becomes('/a', '200 a2', 'a ..data that is swapped is taken up');

my $other = Weir::Fragments->new($w, 'conf/other');
$other->put('a.conf', $text->(3));
$swap->('other', 'parts');
$f->becomes('/a', '200 a3', 'so is a link to the whole folder');

$other->put('a.conf', $text->(4));
$f->becomes('/a', '200 a4', 'what is written behind it is seen');

unlink "$dir/parts" or die $!;
ok $w->wait_for_log(qr/fragments stay as they are: the folder "\S+parts" cannot be read/), 'a folder that is gone is told';
is $f->answer('/a'), '200 a4', 'and changes nothing';
done_testing;
