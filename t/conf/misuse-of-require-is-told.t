use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('misuse of require is told')->allow_log(qr{\[emerg\]});
my $deep = '(' x 70 . '$arg_a' . ')' x 70;
my @rows = (
    [ 'require;',                               qr/invalid number of arguments in "require"/ ],
    [ 'require dry_run;',                       qr/"require" needs a condition/ ],
    [ 'require $arg_a error=200;',              qr/error=STATUS with a status from 400 to 599/ ],
    [ 'require $nothing;',                      qr/unknown "nothing" variable/ ],
    [ 'require x;',                             qr/unexpected "x" in the condition: expected a variable/ ],
    [ 'require $arg_a=x;',                      qr/unexpected "\$arg_a=x" in the condition: expected a variable alone, or spaces around an operator/ ],
    [ 'require $arg_b and ($arg_a!=x);',        qr/unexpected "\$arg_a!=x" in the condition: expected a variable alone/ ],
    [ 'require not "$arg_a ";',                 qr/unexpected "\$arg_a " in the condition: expected a variable alone/ ],
    [ 'require $arg_a =;',                      qr/the condition ends where a text was expected/ ],
    [ 'require = x;',                           qr/unexpected "=" in the condition: expected a variable, "not" or "\("/ ],
    [ 'require $arg_a = and;',                  qr/unexpected "and" in the condition: expected a text/ ],
    [ 'require $arg_a x;',                      qr/unexpected "x" in the condition: expected "and" or "or"/ ],
    [ 'require $arg_a and;',                    qr/the condition ends where a variable, "not" or "\(" was expected/ ],
    [ 'require ($arg_a;',                       qr/the condition ends where "and", "or" or "\)" was expected/ ],
    [ 'require $arg_a);',                       qr/unexpected "\)" in the condition/ ],
    [ 'require $arg_a < ten;',                  qr/unexpected "ten" in the condition: expected a number/ ],
    [ 'require ten < $arg_a;',                  qr/unexpected "ten" in the condition: expected a number/ ],
    [ 'require $arg_a ~ (;',                    qr/\Q"("\E|parenthes/ ],
    [ 'require $arg_a ~;',                      qr/the condition ends where a pattern was expected/ ],
    [ 'require $arg_a in ();',                  qr/unexpected "\)" in the condition: expected a text or a network/ ],
    [ 'require $arg_a in (a b);',               qr/unexpected "b" in the condition: expected "," or "\)"/ ],
    [ 'require $arg_a in (a, 10.0.0.0/8);',     qr/"10\.0\.0\.0\/8" stands among others that are no addresses/ ],
    [ 'require $arg_a in (10.0.0.0/8, a);',     qr/"a" stands among others that are addresses/ ],
    [ 'require $arg_a not x;',                  qr/unexpected "x" in the condition: expected "in"/ ],
    [ 'require $arg_a has;',                    qr/the condition ends where a text was expected/ ],
    (map { [ "require \$arg_a has $_;",        qr/unexpected ".*" in the condition: expected one element of a list/ ] }
        '"a,b"', '"a b"', '"a\tb"', '","', '""', '"$arg_b,"', '"x $arg_b"'),
    [ 'require $arg_a in ("a b");',             qr/the quotes in "\("a" do not end/ ],
    [ "require $deep;",                         qr/nested too deeply/ ],
);
for my $row (@rows) {
    my ($text, $why) = @$row;
    my ($code, $said) = $w->check_conf("$text server { location / { empty_gif; } }");
    is $code, 1, "refused: " . substr $text, 0, 60;
    like $said, $why, 'and says why';
}
done_testing;
