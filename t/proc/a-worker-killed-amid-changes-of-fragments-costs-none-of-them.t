# Workers are killed while fragments change: each change is answered, and every worker serves it in the end.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Fragments;
use Weir::Test;

my $w = Weir::Test->new('a worker killed amid changes of fragments costs none of them')->needs_weir->workers_may_change;
my $f = Weir::Fragments->new($w);
$w->allow_log(qr/exited on signal 9/);
$w->conf('fragments parts; server { server_name one; location / { return 404 none; } }');
$w->start;
for my $n (1 .. 5) {
    my $done = $w->background($w->bin, '-p', $w->dir . '/', '-c', 'conf/weir.conf', '-e', 'logs/error.log', 'fragments', 'put', 'a',
        $w->write_file("given.$n", "extend server one { location = /a { return 200 a$n; } }"));
    kill KILL => ($w->workers)[0] // 0;
    my ($code, $said) = $done->(30);
    is $code, 0, "change $n is answered" or diag $said;
}
$f->becomes('/a', '200 a5', 'the last one is served');
done_testing;
