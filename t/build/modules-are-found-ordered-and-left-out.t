# A file in modules/ is in the program after the next make; .after orders; --without-NAME and --add-module work.
use v5.36;
use lib 't/lib';
use Test::More;
use Weir::Build;

my $tree = Weir::Build->new;
$tree->module('http', 'zip',  after => 'http_tail http_head');
$tree->module('http', 'head', after => 'http_tail');
$tree->module('http', 'tail');
$tree->module('http', 'big', file => 'modules/http/big/module.c');

my $run = "make >/dev/null && objs/weir";
my ($status, $said) = $tree->sh("./configure >/dev/null && $run");
is $said, "core http_core http_big http_tail http_head http_zip\n", 'core first, by name, .after obeyed';

$tree->module('http', 'all', after => qq{http_tail "\n             "http_head "\n             "http_zip});
(undef, $said) = $tree->sh("$run");
is $said, "core http_core http_big http_tail http_head http_zip http_all\n", 'a string of several lines is obeyed to its end';
(undef, $said) = $tree->sh("rm modules/http/all.c && $run");
is $said, "core http_core http_big http_tail http_head http_zip\n", '… and gone';

$tree->module('http', 'any');
(undef, $said) = $tree->sh("$run");
is $said, "core http_core http_any http_big http_tail http_head http_zip\n", 'a new file is found by make';

(undef, $said) = $tree->sh("rm modules/http/any.c && $run");
is $said, "core http_core http_big http_tail http_head http_zip\n", 'a removed one is gone';

(undef, $said) = $tree->sh('./configure --help');
like $said, qr/^  --without-http_big$/m, '--help lists the module';
(undef, $said) = $tree->sh("./configure --without-http_big --without-http_head >/dev/null && $run");
is $said, "core http_core http_tail http_zip\n", '--without leaves out';
(undef, $said) = $tree->sh('cat objs/modules.c');
like $said, qr/^const size_t weir_http_zip_index = 3;$/m, 'its place is a constant';

$tree->module('http', 'mine', file => 'elsewhere/mine/mine.c', after => 'http_tail');
(undef, $said) = $tree->sh("./configure --add-module=elsewhere/mine --without-http_big >/dev/null && $run");
is $said, "core http_core http_tail http_head http_mine http_zip\n", '--add-module adds';

$tree->file('modules/http/empty.c', "int nothing;\n");
($status, $said) = $tree->sh('./configure');
is $status, 1, 'a file that defines no module is refused';
like $said, qr{^configure: modules/http/empty\.c defines no module weir_http_empty}m, 'by name';

done_testing;
