# Tools and options say at once what cannot be meant, and what was probably meant, instead of waiting for what never comes.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('options that contradict each other are an error')->needs_weir->allow_log(qr/\[warn\]/);
$w->conf("server { location / { return 200 ok; } }", main => "store_path store;\n");
$w->start;
my $refused = sub ($pattern, @words) {
    my ($code, $said) = $w->tool(@words);
    is $code, 1, "@words: refused";
    like $said, $pattern, 'and told why';
};
$refused->(qr/"status=$_" is no filter: a status is three digits/, 'tail', "status=$_") for 'abc', '6xx', '0xx', '99', '20', '4x';
$refused->(qr/"cause=nosuch" is no filter: no cause begins so/, 'tail', 'cause=nosuch');
$refused->(qr/"cause=limit\.rat3" .*did you mean "limit\.rate"\?/, 'tail', 'cause=limit.rat3');
$refused->(qr/"slow=much" is no filter/, 'tail', 'slow=much');
$refused->(qr/"stats=200" is no filter.*did you mean "status"\?/, 'tail', 'stats=200');
$refused->(qr/"host=" is no filter: it has no value/, 'tail', 'host=');
is +($w->tool('consumer', 'add', 'acme'))[0], 0, 'a consumer';
$refused->(qr/"expires" is in the past/, 'key', 'create', 'acme', "expires=$_") for '2001-01-31', '0s';
is +($w->tool('key', 'create', 'acme', 'expires=1h'))[0], 0, 'a key that is good for an hour';
$refused->(qr/^weir: invalid option: "cosumer", did you mean "consumer"\?$/m, 'cosumer');
$refused->(qr/^weir: invalid option: "-s relaod", did you mean "reload"\?$/m, '-s', 'relaod');

$w->write_file('conf/empty.conf', '');
my ($code, $said) = $w->run('-t', '-p', '%%DIR%%/', '-c', 'conf/empty.conf', '-e', 'logs/tool.log', '-g', 'pid logs/other.pid; error_log logs/tool.log;');
is $code, 0, 'an empty configuration is one';
like $said, qr/\[warn\] .*Weir listens on no address/, 'but it is told that nothing is listened on';
($code, $said) = $w->run('-t', '-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'logs/tool.log');
unlike $said, qr/listens on no address/, 'one with a server is not';
done_testing;
