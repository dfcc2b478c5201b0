# A good file cut at every byte, and with a byte changed, is read or refused, never crashed on.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('any damaged file is refused and never crashes');
$w->needs_weir;
$w->allow_log(qr/\[(?:emerg|alert)\]/);
my $good = <<'END';
daemon off; pid logs/p.pid; events { worker_connections 64; }
http { log_format x '$status "$request"'; upstream u { server 127.0.0.1:1 weight=2; keepalive 4; }
server { listen 127.0.0.1:%%PORT%% default_server; server_name a *.b ~^c(?<d>.)$; error_page 404 = @f;
location ~* \.x$ { proxy_pass http://u/y?z=$uri; proxy_set_header A "${host}b"; } location @f { return 200 "$d\n"; } } }
END
my ($code, $output) = $w->conf_main($good)->run('-t', '-p', $w->dir . '/', '-c', 'conf/weir.conf');
my %codes;
srand 42;
my @texts = ((map { substr $good, 0, $_ } grep { $_ % 7 == 0 } 1 .. length $good),
    (map { my $t = $good; substr($t, int rand length $t, 1) = chr int rand 256; $t } 1 .. 60));
for my $text (@texts) {
    $w->conf_main($text);
    my ($code, $output) = $w->run('-t', '-p', $w->dir . '/', '-c', 'conf/weir.conf');
    $codes{$code}++;
    ok $code == 0 || $code == 1, 'an exit code of its own' or diag "$code\n$text\n$output";
    like $output, qr/ in .+|test failed/, 'with a place' if $code == 1;
}
cmp_ok $codes{1} // 0, '>', 20, 'most were refused';

done_testing;
