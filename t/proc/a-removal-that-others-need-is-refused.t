# A fragment that others need cannot be removed, and who needs it is told; with what needs it, it can.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Fragments;
use Weir::Test;

my $w = Weir::Test->new('a removal that others need is refused')->needs_weir;
my $f = Weir::Fragments->new($w);
my $origin = $w->origin(sub { shift->reply(200, 'there') });

$f->put('up.conf', "upstream there { server $origin; }");
$f->put('route.conf', "extend server one {\n    location = /a { proxy_pass http://there; }\n}");
$w->conf('fragments parts; server { server_name one; location / { return 404 none; } }');
is $f->answer('/a'), '200 there', 'a route of one fragment goes to an upstream of another';

$f->remove('up.conf');
ok $w->wait_for_log(qr{fragment "up.conf" is refused, its last good version stays: upstream "there" of fragment "up.conf" is used by "location /a" in \S+/route.conf:2}),
    'who needs it is told by file and line';
is $f->answer('/a'), '200 there', 'it stays';

$f->put('route.conf', 'extend server one { location = /a { return 200 own; } }');
$f->becomes('/a', '200 own', 'nobody needs it any more');
$f->put('third.conf', 'extend server one { location = /b { return 200 b; } }');
$f->becomes('/b', '200 b', 'others come');
my ($code, $said) = $w->tool('fragments', 'list', '--json');
is $code, 0, 'the instance is asked';
unlike $said, qr/up\.conf/, 'and the upstream is gone with the last that needed it';
done_testing;
