# A name with a typo among the paths of scripts/test is told before anything is built; a test that is there is not.
use v5.36;
use Test::More;

for my $paths ('t/no-such', 't/http/no-such.t', 't/unit t/no-such', 't/soak') {
    my $said = `scripts/test quick $paths 2>&1`;
    isnt $?, 0, "$paths: an error";
    like $said, qr{^not ok - t/\S+ selects no test$}m, "$paths: which one is told";
    unlike $said, qr/gcc/, "$paths: nothing was built";
}

done_testing;
