# -t says what is wrong and where, -T prints what was read, -q says nothing but errors; none of them binds a port.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w    = Weir::Test->new('a tested configuration tells file and line')->needs_weir->allow_log(qr/\[emerg\]/);
my @test = ('-p', '%%DIR%%/', '-c', 'conf/weir.conf');
my $head = "daemon off;\nevents { }\n";

my $try = sub ($text, @options) {
    $w->write_file('conf/weir.conf', "$head$text");
    return $w->run(@options, @test);
};
my ($code, $output) = $try->("http {\n  include more/*.conf;\n  server { }\n}\n", '-t');
is $code, 0, 'a good file is a success';
is $output, sprintf("weir: the configuration file %s/conf/weir.conf syntax is ok\n"
    . "weir: configuration file %s/conf/weir.conf test is successful\n", ($w->dir) x 2), 'with nginx\'s words';

($code, $output) = $try->("http {\n\n  servr { }\n}\n", '-t');
is $code, 1, 'a bad one is none';
like $output, qr{^weir: \[emerg\] unknown directive "servr", did you mean "server"\? in \S+/conf/weir\.conf:5$}m, 'the line and a hint';
like $output, qr{^weir: configuration file \S+/conf/weir\.conf test failed$}m, 'and that it failed';

mkdir $w->dir . '/conf/more';
$w->write_file('conf/more/a.conf', "server { listen 127.0.0.1:%%PORT%%; }\n");
$w->write_file('conf/more/b.conf', "\n\nserver { listen 127.0.0.1:70000; }\n");
($code, $output) = $try->("http {\n  include more/*.conf;\n}\n", '-t');
like $output, qr{\[emerg\] .* in \S+/conf/more/b\.conf:3$}m, 'of an included file';

($code, $output) = $try->("http {\n  include more/*.conf;\n}\n", '-tq');
is $code, 1, '-q has the exit code';
like $output, qr/\[emerg\]/, 'and the errors';
unlink $w->dir . '/conf/more/b.conf';
($code, $output) = $try->("http {\n  include more/*.conf;\n}\n", '-q', '-t');
is "$code $output", '0 ', 'and else nothing';

($code, $output) = $try->("http {\n  include more/*.conf;\n}\n", '-T');
like $output, qr{^# configuration file \S+/conf/weir\.conf:\n.*^# configuration file \S+/conf/more/a\.conf:\n}ms,
    '-T prints every file that was read';

my $busy = $w->peer(sub { });
($code, $output) = $try->("http { server { listen $busy; } }\n", '-t');
is $code, 0, 'a port in use is no error of the file';
done_testing;
