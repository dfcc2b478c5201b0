# Options, their texts, and exit codes that scripts know.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w = Weir::Test->new('the command line answers as nginx does')->needs_weir->allow_log(qr/\[emerg\]/);

my $check = sub ($arguments, $code, $pattern) {
    my ($got, $output) = $w->run(@$arguments);
    is $got, $code, "@$arguments: exit code $code";
    like $output, $pattern, "and says $pattern";
};
$check->(['-v'], 0, qr{^weir version: weir/\d+\.\d+\.\d+\n\z});
$check->(['-V'], 0, qr{^weir version: weir/\S+\nbuilt by .+\nbuilt with OpenSSL 3\..+\n(?:running with .+\n)?PCRE2 10\..+\nconfigure arguments:.*\n\z});
$check->([$_], 0, qr/^weir version: .*\nUsage: weir \[-\?hvVtTq\].*-s signal.*-c filename/s) for '-h', '-?';
$check->(['-h', 'pid'], 0, qr/^Syntax:\s+pid .*Default:.*Context:\s+main/s);
$check->(['-h', 'worker_proceses'], 1, qr/no directive "worker_proceses", did you mean "worker_processes"\?/);
$check->(['-x'], 1, qr/^weir: invalid option: "x"\n\z/);
$check->(['start'], 1, qr/^weir: invalid option: "start"\n\z/);
$check->(['-s', 'restart'], 1, qr/^weir: invalid option: "-s restart"\n\z/);
$check->(['-s'], 1, qr/^weir: option "-s" requires parameter\n\z/);
$check->(['-c'], 1, qr/^weir: option "-c" requires file name\n\z/);
$check->(['-p'], 1, qr/^weir: option "-p" requires directory name\n\z/);
$check->(['-M'], 0, qr/worker_processes/);

$w->write_file('conf/weir.conf', "daemon off; pid logs/%%DIR%%.pid; error_log logs/error.log;\nevents { }\n");
$w->write_file('conf/other.conf', "error_log logs/other.log; events { }\n");
my @prefix = ('-p', '%%DIR%%/');
$check->(['-t', @prefix, '-c', 'conf/other.conf', '-g', 'pid logs/g.pid;'], 0, qr{configuration file \S+/conf/other\.conf test is successful});
ok -e $w->dir . '/logs/other.log', '-t opens the logs';
$check->(['-t', @prefix, '-c', 'conf/other.conf', '-g', 'pid nowhere/g.pid;'], 1,
    qr{\[emerg\] open\(\) "\S+/nowhere/g\.pid" failed \(2: No such file or directory\)});
$check->(['-t', @prefix, '-c', 'conf/other.conf', '-g', 'worker_processes many;'], 1, qr{\[emerg\] .*"many".* in command line});
$check->(['-t', @prefix, '-e', 'logs/early.log', '-c', 'conf/none.conf'], 1,
    qr{\[emerg\] open\(\) "\S+/conf/none\.conf" failed \(2: No such file or directory\)});
like Weir::Server::slurp($w->dir . '/logs/early.log'), qr/\[emerg\] \d+#\d+: open\(\)/, '-e is where that is kept';
$check->(['-t', @prefix, '-e', 'stderr', '-c', 'conf/none.conf'], 1, qr{\[emerg\] open\(\)});
done_testing;
