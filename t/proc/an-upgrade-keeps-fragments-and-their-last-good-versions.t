# What was put by the control socket, and the last good version of a file that is bad now, are live in the program that
# takes over; and what changes after that is taken up by it.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Fragments;
use Weir::Test;

my $w = Weir::Test->new('an upgrade keeps fragments and their last good versions')->needs_weir->workers_may_change;
my $f = Weir::Fragments->new($w);
$f->put('a.conf', 'extend server one { location = /a { return 200 a1; } }');
$w->conf('fragments parts; server { server_name one; location / { return 404 none; } }', main => 'upgrade_trial 0s;');
is $f->answer('/a'), '200 a1', 'a file is live';
my ($code, $said) = $f->tool('put', 's', $w->write_file('s.conf', 'extend server one { location = /s { return 200 s1; } }'));
is $code, 0, 'so is what is put' or diag $said;
$f->put('a.conf', 'extend server one { location = /a { retrun 200 a2; } }');
ok $w->wait_for_log(qr/fragment "a.conf" is refused, its last good/), 'the file is bad now';

($code, $said) = $w->tool('-s', 'upgrade');
is $code, 0, 'another program takes over' or diag $said;
$w->taken_over;
is $f->answer('/s'), '200 s1', 'what was put is live in it';
is $f->answer('/a'), '200 a1', 'and the last good version of the file';
$f->put('a.conf', 'extend server one { location = /a { return 200 a3; } }');
$f->becomes('/a', '200 a3', 'it takes up what changes');
done_testing;
