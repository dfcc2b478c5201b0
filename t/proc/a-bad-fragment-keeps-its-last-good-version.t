# A fragment that is refused harms only itself: its last good version stays live, and those that change beside it go live.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Fragments;
use Weir::Test;

my $w = Weir::Test->new('a bad fragment keeps its last good version')->needs_weir;
my $f = Weir::Fragments->new($w);

$f->put('a.conf', 'extend server one { location = /a { return 200 a1; } }');
$f->put('deep/b.conf', 'extend server one { location = /b { return 200 b1; } }');
$w->conf('fragments parts; server { server_name one; location / { return 404 none; } }');
is $f->answer('/a'), '200 a1', 'a fragment of the start is live';
is $f->answer('/b'), '200 b1', 'and so is one in a folder below';

$f->put('a.conf', "extend server one {\n    location = /a { retrun 200 a2; }\n}");
$f->put('deep/b.conf', 'extend server one { location = /b { return 200 b2; } }');
$f->becomes('/b', '200 b2', 'a good one goes live beside a bad one');
is $f->answer('/a'), '200 a1', 'whose last good version stays';
ok $w->wait_for_log(qr{fragment "a.conf" is refused, its last good version stays: unknown directive "retrun".* in \S+/parts/a.conf:2}),
    'the log says which, where and why';

$f->put('a.conf', 'extend server one { location = /a { return 200 a3; } }');
$f->becomes('/a', '200 a3', 'mended, it is live');

$f->put('a.conf', 'extend server one { location = /a {');
$f->put('c.json', '[{"directive":"extend","args":["server","one"],"block":[{"directive":"location","args":["=","/c"],'
    . '"block":[{"directive":"return","args":["200","$c;{"]}]}]}]');
$f->becomes('/c', '200 $c;{', 'a file of JSON is one, and its texts are what they are');
is $f->answer('/a'), '200 a3', 'a file that cannot be read keeps its last good version, too';

my ($code, $said) = $w->tool('-t');
isnt $code, 0, '-t fails while a fragment is bad';
like $said, qr{parts/a.conf}, 'and says which';
$w->allow_log(qr/\[emerg\].*a\.conf/);       # of -t

$f->remove('deep/b.conf');
$f->becomes('/b', '404 none', 'a fragment whose file is removed is gone');
is $f->answer('/a'), '200 a3', 'the others stay';
done_testing;
