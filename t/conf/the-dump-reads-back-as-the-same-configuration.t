use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('the dump reads back as the same configuration');
$w->needs_weir;
$w->write_file('conf/part.conf', "server { listen 127.0.0.1:%%PORT%%; return 200 \"a \\\"b\\\" \$uri\"; }\n");
my ($code, $output) = $w->check_conf('include part.conf;', main => "# first line\n");
is $code, 0, 'the file is good' or diag $output;
($code, $output) = $w->run('-T', '-p', $w->dir . '/', '-c', 'conf/weir.conf');
is $code, 0, '-T';
like $output, qr/^# configuration file \S+weir\.conf:$/m, 'names the file';
like $output, qr/^# configuration file \S+part\.conf:$/m, 'and what it includes';
like $output, qr/return 200 "a \\"b\\" \$uri";/, 'with their text';

done_testing;
