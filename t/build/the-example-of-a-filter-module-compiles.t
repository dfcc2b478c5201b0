# The filter module in CONTRIBUTING compiles as a module of the tree does: without a warning.
use v5.36;
use Test::More;
use File::Basename qw(dirname);
use File::Temp ();

chdir dirname($0) . '/../..' or die;
open my $in, '<', 'CONTRIBUTING' or die $!;
my $text = do { local $/; <$in> };
my ($example) = $text =~ m{^(    /\*\n     \* calm\.c .*?^    \};\n)(?=\n\S)}ms;
ok $example, 'it is there';
$example =~ s/^    //mg;

my $dir = File::Temp->newdir('weir-example-XXXXXX', TMPDIR => 1);
open my $out, '>', "$dir/calm.c" or die $!;
print $out $example;
close $out or die $!;
my $objs = $ENV{WEIR_BIN} ? dirname($ENV{WEIR_BIN}) : 'objs';
my $said = `cc -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror -fsyntax-only -Icore -I$objs $dir/calm.c 2>&1`;
is $?, 0, 'it compiles' or diag $said;

done_testing;
