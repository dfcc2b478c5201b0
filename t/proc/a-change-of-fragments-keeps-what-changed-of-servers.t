# A change of fragments goes by what the configuration in use has read, but for the files of `state`: servers that were
# added and removed at run time since then stay so.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Fragments;
use Weir::Test;

my $w = Weir::Test->new('a change of fragments keeps what changed of servers')->needs_weir;
my $f = Weir::Fragments->new($w);
my ($one, $two) = map { my $name = $_; $w->origin(sub { shift->reply(200, $name) }) } qw(one two);
$w->write_file('up.state', "server $one;\n");
$w->conf('fragments parts; upstream up { state %%DIR%%/up.state; } server { server_name one; location / { proxy_pass http://up; } }');
is $f->answer('/'), '200 one', 'it serves what the file says';
is +($w->tool('upstream', 'up', 'add', "$two"))[0], 0, 'a server is added';
is +($w->tool('upstream', 'up', 'remove', "$one"))[0], 0, 'the other one is removed';
is $f->answer('/'), '200 two', 'that one answers';
for my $n (1 .. 3) {
    $f->put('a.conf', "extend server one { location = /a { return 200 a$n; } }");
    $f->becomes('/a', "200 a$n", "fragments change ($n)");
    is $f->answer('/'), '200 two', 'and it answers still' for 1 .. 4;
}
done_testing;
