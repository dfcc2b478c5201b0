# `weir diff --traffic LOG`: combined, each log_format of the old configuration (longer ones, JSON, without escapes), whatever is escaped in them, and
# lines that are no request, which are counted and shown; of a file and of standard input.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('diff reads access logs of any format')->needs_weir;
my $formats = <<'END';
    log_format long '$remote_addr [$time_local] "$request" $status "$host" "$http_x_kind" $server_port $scheme "$cookie_a"';
    log_format json escape=json '{"time":"$time_iso8601","method":"$request_method","uri":"$request_uri","host":"$http_host","kind":"$http_x_kind","status":$status}';
    log_format parts '$request_method $uri $args $host';
    log_format blind '$status $body_bytes_sent';
    log_format close '$request_method$request_uri';
END
my $conf = sub ($name, $server) { $w->write_file("conf/$name.conf", "error_log stderr;\nevents { }\nhttp {\n${formats}server { listen 8080 default_server; server_name a.example;\n$server }\nserver { listen 8080; server_name b.example; location / { return 204; } }\n}\n") };
my $old = <<'END';
    route kind { match path_prefix=/x header:X-Kind=fancy; return 200 "fancy"; }
    route cookie { match path_prefix=/x cookie:a=1; return 200 "cookie"; }
    location = /q { if ($arg_q = "a%20b%22c") { return 201; } return 200; }
    location / { return 200; }
END
$conf->(old => $old);
$conf->(new => $old =~ s/(fancy"|cookie"|201)/$1 eq '201' ? 202 : "other$1"/ger =~ s/return 200 "other/return 203 "/gr);
my $n = 0;
my $diff = sub (@lines) {
    my ($log, @words) = ('log' . $n++, ref $lines[0] ? shift(@lines)->@* : ());
    $w->write_file($log, join '', map { "$_\n" } @lines);
    my ($code, $said) = $w->run('-p', '%%DIR%%/', '-e', 'stderr', 'diff', '--traffic', $w->dir . "/$log", '--json', @words, 'conf/old.conf', 'conf/new.conf');
    my ($json) = $said =~ /^(\{.*\})$/m;
    return ($code, $json ? Weir::Json::decode($json)->{traffic} : { said => $said });
};
my $changed = sub ($t) { join '; ', map { "$_->{count} $_->{shape} $_->{was}{status} $_->{is}{status}" } sort { $a->{shape} cmp $b->{shape} } $t->{changes}->@* };
my $time = '01/Jan/2026:00:00:00 +0000';

my ($code, $t) = $diff->(qq{10.0.0.1 - u [$time] "GET /q?q=a%20b%22c HTTP/1.1" 201 3 "-" "curl \\x22x\\x22"}, qq{10.0.0.1 - - [$time] "GET /x/17 HTTP/2.0" 200 3 "-" "-"});
is "$code $t->{requests} $t->{changed}", '2 2 1', 'combined' or diag explain $t;
is $changed->($t), '1 GET a.example /q 201 202', 'which changes';
is $t->{no_host}, 2, 'it names no host';
is join(', ', sort map { $_->{what} } $t->{assumed_absent}->@*), 'cookie a, header X-Kind', 'nor the fields that decide, which is told';
like $t->{assumed_absent}[0]{at}, qr/new\.conf:\d+$/, 'with their lines';
(undef, $t) = $diff->(['--host', 'b.example'], qq{10.0.0.1 - u [$time] "GET /q?q=a%20b%22c HTTP/1.1" 201 3 "-" "x"});
is "$t->{requests} $t->{changed} $t->{no_host}", '1 0 0', 'the host may be said';

(undef, $t) = $diff->(
    qq{10.0.0.1 [$time] "GET /x/17 HTTP/1.1" 200 "a.example" "fancy" 8080 http "-"},
    qq{10.0.0.1 [$time] "GET /x/18 HTTP/1.1" 200 "a.example" "fan\\x63y" 8080 http "-"},
    qq{10.0.0.1 [$time] "GET /x/19 HTTP/1.1" 200 "a.example" "plain" 8080 http "1"},
    qq{10.0.0.1 [$time] "GET /x/19 HTTP/1.1" 200 "b.example" "fancy" 8080 http "1"},
    qq{10.0.0.1 [$time] "GET /x/20 HTTP/1.1" 200 "a.example" "-" 9999 http "-"});
is $changed->($t), '2 GET a.example /x/{} 200 203; 1 GET a.example /x/{} 200 203', 'a longer format, with fields and a cookie' or diag explain $t;
is "$t->{requests} " . scalar($t->{assumed_absent}->@*), '5 0', 'which are known now';

(undef, $t) = $diff->(
    '{"time":"2026-01-01T00:00:00+00:00","method":"GET","uri":"/x/0123456789abcdef","host":"A.example:8080","kind":"fancy","status":200}',
    '{"time":"2026-01-01T00:00:00+00:00","method":"GET","uri":"/x/\u0061","host":"a.example","kind":"fan\u0063y","status":200}',
    '{"time":"2026-01-01T00:00:00+00:00","method":"GET","uri":"/x/a","host":"a.example","kind":"fancy\"","status":200}',
    '{"time":"2026-01-01T00:00:00+00:00","method":"GET","uri":"/x/a","host":"a.example","kind":"a\r\nX-Kind: fancy","status":200}',
    '{"time":"2026-01-01T00:00:00+00:00","method":"GET","uri":"/x/a","host":"a.example","kind":"\ud800","status":200}');
is $changed->($t), '1 GET a.example /x/a 200 203; 1 GET a.example /x/{} 200 203', 'JSON, and its escapes' or diag explain $t;
is "$t->{requests} $t->{skipped}", '3 2', 'what would be two fields is none, nor what is no text';

(undef, $t) = $diff->(['--format', 'parts'], 'GET /q q=a+b a.example', 'GET /q q=a%20b%22c a.example', 'GET /y - a.example');
is "$t->{requests} $t->{changed}", '3 1', 'a path and its query apart';
is +($diff->(['--format', 'none'], 'x'))[0], 1, 'a format that is not there';
($code, $t) = $diff->(['--format', 'blind'], 'x');
like "$code $t->{said}", qr/^1 .*"blind" cannot be read back: it does not tell what was asked/s, 'or that tells nothing';
($code, $t) = $diff->(['--format', 'close'], 'x');
like "$code $t->{said}", qr/^1 .*"close" cannot be read back: two of its variables stand side by side/s, 'or that has no ends';

($code, $t) = $diff->('GET http://a.example:8080/x/1' . "\tX-Kind: fancy", 'what is this', "\e[31mred\e[0m\x{1}", '', qq{10.0.0.1 - - [$time] "-" 400 0 "-" "-"}, 'GET http://a.example:8080/x' . "\tno field");
is "$t->{requests} $t->{skipped} $t->{lines}", '1 4 5', 'lines that are no requests are counted';
is_deeply [ $t->{skipped_samples}->@* ], [ 'what is this', "\e[31mred\e[0m\x{1}", qq{10.0.0.1 - - [$time] "-" 400 0 "-" "-"} ], 'and some are shown';
($code, $t) = $diff->('nothing', 'nothing');
like "$code $t->{said}", qr/^1 .*none of the 2 lines of "\S+" is a request/s, 'none that is one is an error';
($code, my $said) = $w->command(20, 'sh', '-c', 'printf "GET http://a.example:8080/q?q=a%%20b%%22c\n" | "$0" "$@"', $w->bin, '-p', $w->dir . '/', '-e', 'stderr', 'diff', '--traffic', '-', 'conf/old.conf', 'conf/new.conf');
like $said, qr/^traffic  1 of 1 requests change \(100\.00%\)$/m, 'of standard input';
done_testing;
