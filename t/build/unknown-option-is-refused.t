# configure refuses what it does not know, and values that could not be written into a Makefile.
use v5.36;
use lib 't/lib';
use Test::More;
use Weir::Build;

my $tree = Weir::Build->new;
for my $case (
    [ '--frobnicate',           qr/unknown option "--frobnicate"/ ],
    [ '--with-debug=yes',       qr/unknown option "--with-debug=yes"/ ],
    [ '--without-http_nothing', qr/--without-http_nothing: there is no such module/ ],
    [ '--without-http_core',    qr/--without-http_core: there is no such module/ ],
    [ '--prefix=relative',      qr/an absolute path is needed/ ],
    [ q{'--prefix=/a b'},       qr/no quotes, blanks/ ],
    [ '--add-module=nowhere',   qr/--add-module=nowhere: no such directory/ ],
) {
    my ($option, $words) = @$case;
    my ($status, $said) = $tree->sh("./configure $option");
    is $status, 1, "$option is refused";
    like $said, $words, "$option: it says why";
}

my ($status, $said) = $tree->sh('./configure --help');
is $status, 0, '--help is none of them';
like $said, qr/^\s+--conf-path=FILE/m, 'and lists the options';

done_testing;
