use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('words of directives may be in capitals');
$w->allow_log(qr/./);

my $check = sub ($line) { my ($code) = $w->check_conf("server { location / { $line } }"); return $code };
is $check->($_), 0, $_ for 'sendfile ON;', 'server_tokens OFF;', 'satisfy Any;', 'if_modified_since Exact;', 'gzip_static Always;',
    'proxy_next_upstream ERROR Timeout;', 'lingering_close ALWAYS;';
is $check->($_), 1, $_ for 'sendfile O;', 'server_tokens OFFF;', 'proxy_next_upstream ERRO;';

done_testing;
