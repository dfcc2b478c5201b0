# A header, a flag and an option each rebuild what depends on them, and nothing is built twice for nothing.
use v5.36;
use lib 't/lib';
use Test::More;
use Weir::Build;

my $tree = Weir::Build->new;
$tree->module('http', 'a');
my ($status, $said) = $tree->sh('make');
is $status, 0, 'make runs configure by itself and builds' or diag $said;
like $said, qr{CC +objs/modules/http/a\.o}, 'the module is compiled';

(undef, $said) = $tree->sh('make');
unlike $said, qr/CC|LD|AR/, 'a second make has nothing to do';

(undef, $said) = $tree->sh('sed -i "s/int more/int more, most/" core/http/module.h && make');
like $said, qr{objs/modules/http/a\.o}, 'a changed header rebuilds what includes it';
unlike $said, qr{objs/core/conf/core\.o}, 'and not the rest';

(undef, $said) = $tree->sh('./configure >/dev/null && make');
unlike $said, qr/CC|LD|AR/, 'the same configuration again rebuilds nothing';

(undef, $said) = $tree->sh('./configure --with-debug >/dev/null && make');
like $said, qr{objs/core/conf/core\.o}, 'other flags rebuild all';

(undef, $said) = $tree->sh(q{./configure --with-cc-opt='-DWORDS="two words"' --objs=objs/other >/dev/null}
    . q{ && make OBJS=objs/other V=1});
like $said, qr/-DWORDS="two words"/, 'flags may be quoted';
ok -x $tree->dir . '/objs/other/weir' && -x $tree->dir . '/objs/weir', 'builds live side by side';

done_testing;
