# docs/reference and docs/man are what scripts/docs makes of the program: a changed row without `make docs` fails here; and each row has its words.
use v5.36;
use File::Temp 'tempdir';
use Test::More;

my $weir = $ENV{WEIR_BIN} // 'objs/weir';
my $dir  = tempdir(CLEANUP => 1);
is system('scripts/docs', $weir, $dir), 0, 'the manual is made';
my $read = sub ($path) { open my $in, '<', $path or return; local $/; scalar <$in> };
my %pages;
for my $root ($dir, 'docs') {
    $pages{ s{^\Q$root\E/}{}r }{$root} = $read->($_) for glob "$root/reference/*.md $root/man/*";
}
ok keys %pages > 12, 'there are pages';
is $pages{$_}{docs} // 'missing', $pages{$_}{$dir} // 'no such page any more', "docs/$_ says the same (else: make docs)" for sort keys %pages;

my $manual = `$weir -M`;
my (@mute, @homeless);
for my $row (split /^(?=###? )/m, $manual) {
    push @mute, $1 if $row =~ /^### (?!Variables)(\S+)\n\n- Syntax/;
    push @mute, $row =~ /^- `\$(\w+)`\n/mg if $row =~ /^### Variables/;
}
is_deeply \@mute, [], 'each directive and each variable is explained';
unlike $manual, qr/^# Other$/m, 'each module says which page it is on';
if (grep { -x "$_/mandoc" } split /:/, $ENV{PATH}) {
    is `mandoc -Tlint -Werror docs/man/* 2>&1`, '', 'the man pages are well-formed';
}
done_testing;
