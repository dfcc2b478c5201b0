# docs/directives.md is what `weir -M` prints: a changed row without `make docs` fails here.
use v5.36;
use Test::More tests => 2;

my $weir = $ENV{WEIR_BIN} // 'objs/weir';
my $said = `$weir -M`;
open my $file, '<', 'docs/directives.md' or die "docs/directives.md: $!";
my $kept = do { local $/; <$file> };
is $?, 0, 'the manual is printed';
ok $said eq $kept, 'docs/directives.md says the same (else: make docs)';
