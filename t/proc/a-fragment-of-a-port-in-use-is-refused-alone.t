# A fragment whose address another program has is refused, at run time and at a start, and everything else goes on.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Fragments;
use Weir::Test;

my $w = Weir::Test->new('a fragment of a port in use is refused alone')->needs_weir;
my $f = Weir::Fragments->new($w);
my $taken = $w->origin(sub { shift->reply(200, 'not Weir') });

$w->conf('fragments parts; server { server_name one; location / { return 404 none; } }');
is $f->answer('/a'), '404 none', 'nothing is there yet';
$f->put('bad.conf', "server { listen $taken; }");
$f->put('good.conf', 'extend server one { location = /a { return 200 a; } }');
$f->becomes('/a', '200 a', 'what comes beside it is live');
ok $w->wait_for_log(qr{fragment "bad.conf" is refused: bind\(\) to \S+ failed \(98: Address already in use\) in \S+/bad.conf:1}),
    'its address, file and line are told';

$f->put('new.conf', 'server { listen 127.0.0.1:%%PORT_new%%; return 200 new; }');
$f->becomes('/', '200 new', 'an address that is free is listened on', port => $w->port('new'));
$f->remove('new.conf');
$w->wait_until('nobody listens there', sub {
    !eval { Weir::Client->open(port => $w->port('new'))->close; 1 };
});
pass 'and no more when its fragment is gone';
done_testing;
