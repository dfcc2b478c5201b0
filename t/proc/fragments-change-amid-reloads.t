# Reloads and changes of fragments that come together: each is answered or taken up, and neither undoes the other; a
# reload of broken files does not hold a fragment up.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Fragments;
use Weir::Test;

my $w = Weir::Test->new('fragments change amid reloads')->needs_weir;
my $f = Weir::Fragments->new($w);
my $conf = sub ($body) { "fragments parts; server { server_name one; location / { return 200 $body; } }" };
$w->conf($conf->('r0'));
is $f->answer('/'), '200 r0', 'it serves';
for my $n (1 .. 5) {
    $f->put('a.conf', "extend server one { location = /a { return 200 a$n; } }");
    $w->reload($conf->("r$n"));
    $f->becomes('/a', "200 a$n", "fragment $n is live");
    is $f->answer('/'), "200 r$n", 'and so is the reload';
}
$w->reload_refused('nonsense;', qr/unknown directive "nonsense"/);
$w->write_file('conf/weir.conf', 'nonsense;');
$f->put('a.conf', 'extend server one { location = /a { return 200 last; } }');
$f->becomes('/a', '200 last', 'a fragment goes by the files that are in use, whatever is on the disk');
is $f->answer('/'), '200 r5', 'which stay';
done_testing;
