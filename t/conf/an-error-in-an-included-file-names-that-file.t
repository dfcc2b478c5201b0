use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('an error in an included file names that file');
$w->needs_weir;
$w->allow_log(qr/./);
$w->write_file('conf/outer.conf', "\n\ninclude inner/*.conf;\n");
mkdir $w->dir . '/conf/inner';
$w->write_file('conf/inner/a.conf', "# fine\n");
$w->write_file('conf/inner/b.conf', "\nserver {\n  oops;\n}\n");
my ($code, $output) = $w->check_conf('include outer.conf;');
is $code, 1, 'refused';
like $output, qr{conf/inner/b\.conf:3\b}, 'by the file and its line';

$w->write_file('conf/loop.conf', "include loop.conf;\n");
($code, $output) = $w->check_conf('include loop.conf;');
is $code, 1, 'a circle is refused';
like $output, qr/includes itself|too many/, 'as one';

$w->write_file('conf/cut.conf', "server {\n");
($code, $output) = $w->check_conf("include cut.conf;\n}");
is $code, 1, 'a block ends in the file where it began';
like $output, qr{cut\.conf:\d}, 'and the file is named';

done_testing;
