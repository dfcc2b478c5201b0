# make install: DESTDIR, --prefix, --conf-path; weir.conf is never overwritten, weir.conf.default always.
use v5.36;
use lib 't/lib';
use Test::More;
use Weir::Build;

my $tree = Weir::Build->new;
$tree->file($_, "# $_\n") for qw(conf/mime.types docs/man/weir.8 docs/man/weir.conf.5);
my ($status, $said) = $tree->sh('./configure --prefix=/opt/weir >/dev/null && make install DESTDIR=$PWD/d');
is $status, 0, 'installed' or diag $said;
my $at = $tree->dir . '/d/opt/weir';
ok -x "$at/sbin/weir", 'sbin/weir';
ok -f "$at/conf/$_", "conf/$_" for qw(weir.conf weir.conf.default mime.types mime.types.default);
ok -f "$at/share/man/$_", $_ for qw(man8/weir.8 man5/weir.conf.5);
ok -d "$at/logs", 'logs/';

$tree->file('d/opt/weir/conf/weir.conf', "# mine\n");
$tree->file('conf/weir.conf',            "# theirs\n");
$tree->sh('make install DESTDIR=$PWD/d');
is +($tree->sh('cat d/opt/weir/conf/weir.conf'))[1], "# mine\n", 'weir.conf is kept';
is +($tree->sh('cat d/opt/weir/conf/weir.conf.default'))[1], "# theirs\n", 'weir.conf.default is new';

($status, $said) = $tree->sh('./configure --prefix=/usr --sbin-path=/usr/sbin/weird --conf-path=/etc/weir/w.conf '
    . '--pid-path=/run/w/w.pid >/dev/null && make install DESTDIR=$PWD/e && find e -type f | sort');
is $said =~ s{^cp .*\n|^mkdir .*\n|^test .*\n|^ .*\n|^make.*\n}{}gmr,
    join("", map { "e/$_\n" } qw(etc/weir/mime.types etc/weir/mime.types.default etc/weir/w.conf etc/weir/w.conf.default usr/sbin/weird
        usr/share/man/man5/weir.conf.5 usr/share/man/man8/weir.8)),
    "paths of their own";
ok -d $tree->dir . '/e/run/w', 'the folder of the pid file';

($status, $said) = $tree->sh('make uninstall DESTDIR=$PWD/e >/dev/null && find e -type f | sort');
is $status, 0, 'uninstalled';
is $said, "e/etc/weir/mime.types\ne/etc/weir/w.conf\n", 'the configuration is left';
is +($tree->sh('make help'))[0], 0, 'make help';

done_testing;
