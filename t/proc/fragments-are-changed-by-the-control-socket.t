# weir fragments: put, get, remove, apply; each is answered when all workers serve it, or with what is wrong; a set is
# all or nothing; of two who go by the same version one wins; and the instance keeps them over reload and upgrade.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Fragments;
use Weir::Json;
use Weir::Test;

my $w = Weir::Test->new('fragments are changed by the control socket')->needs_weir;
my $f = Weir::Fragments->new($w);
my $n = 0;
my $file = sub ($text) { $w->write_file('given.' . ++$n, $text) };
my $route = sub ($path, $body) { "extend server one { location = $path { return 200 $body; } }" };
my $put = sub ($name, $text, @more) { $f->tool('put', $name, $file->($text), @more) };

$f->put('file.conf', $route->('/f', 'file'));
$w->conf('fragments parts; fragments_state %%DIR%%/fragments.json; server { server_name one; location / { return 404 none; } }');
is $f->answer('/f'), '200 file', 'it serves';

my ($code, $said) = $put->('a', $route->('/a', 'a1'));
is $code, 0, 'a fragment is put' or diag $said;
like $said, qr/"generation": \d+/, 'the answer says since which generation it is live';
is $f->answer('/a'), '200 a1', 'every worker serves it by then' for 1 .. 4;

($code, $said) = $put->('a', "extend server one { location = /a { retrun 1; } }");
is $code, 1, 'a bad one is refused';
like $said, qr{unknown directive "retrun"}, 'and it is said why';
like $said, qr{/0/block/0/block/0}, 'and where';
is $f->answer('/a'), '200 a1', 'the last good version stays';
is $f->rows->{a}{state}, 'refused, an older one is live', 'the list says so';

($code, $said) = $put->('file.conf', $route->('/f', 'x'));
is $code, 1, 'what is a file is not changed here';
like $said, qr/is a file's/, 'which is told';

($code, $said) = $f->tool('apply', $file->(Weir::Json::encode({
    put    => [ { name => 'b', tree => [ { directive => 'upstream', args => ['u'], block => [] } ] },
        { name => 'c', tree => [ { directive => 'nonsense', args => [] } ] } ],
    remove => [ { name => 'a' } ],
})));
is $code, 1, 'a set with a bad one is refused';
is $f->answer('/a'), '200 a1', 'as a whole';
is join(' ', sort keys $f->rows->%*), 'a file.conf', 'and leaves nothing';

my $digest = $f->rows->{a}{digest};
is +($put->('a', $route->('/a', 'a2'), "if_digest=$digest"))[0], 0, 'in the place of the version that it is';
is +($put->('a', $route->('/a', 'a3'), "if_digest=$digest"))[0], 1, 'but not of one that it was';
is +($put->('a', $route->('/a', 'a3'), 'if_digest='))[0], 1, 'nor where there is to be none';
is $f->answer('/a'), '200 a2', 'so it is';

$w->reload;
is $f->answer('/a'), '200 a2', 'a reload keeps it';

($code, $said) = $f->tool('get', 'a');
like $said, qr/"a2"/, 'its tree can be asked for';

$w->stop;
$w->start;
is $f->answer('/a'), '200 a2', 'with fragments_state it outlives a restart';

is +($f->tool('remove', 'a'))[0], 0, 'it is removed';
is $f->answer('/a'), '404 none', 'and gone';
is +($f->tool('remove', 'a'))[0], 1, 'what is not there cannot be removed';
done_testing;
