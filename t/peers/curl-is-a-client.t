use v5.36;
use lib 't/lib';
use Weir::Test;

needs('curl');

my $w      = Weir::Test->new('curl is a client');
my $origin = $w->echo_origin;
$w->conf("client_max_body_size 20m; server { location / { proxy_pass http://$origin; } location /own { return 200 own; } location /redirect { return 302 /own; } location /404 { return 404; } }");
$w->start;

my $url  = 'http://localhost:' . $w->port;
my @base = ('curl', '-sS', '--connect-to', "localhost::127.0.0.1:", '--max-time', 10);
my $curl = sub (@arguments) { my ($code, $output) = $w->command(15, @base, @arguments); is $code, 0, "curl @arguments";
    return $output };

is $curl->("$url/own"), 'own', 'GET';
is $curl->('-L', "$url/redirect"), 'own', 'follows a redirect';
is $curl->('-o', '/dev/null', '-w', '%{http_code}', "$url/404"), '404', 'an error';
is $curl->('-o', '/dev/null', '-w', '%{http_code} %{size_download}', '-I', "$url/own"), '200 0', 'HEAD';
like $curl->('-d', 'a=b', "$url/post"), qr/"body":"a=b"/, 'POST';
like $curl->('-0', "$url/old"), qr{"target":"/old"}, 'HTTP/1.0';
like $curl->('-H', 'Transfer-Encoding: chunked', '-d', 'chunked body', "$url/chunked"), qr/"body":"chunked body"/,
    'a chunked upload';
$w->write_file('upload', 'u' x 3_000_000);
my $seen = $curl->('-T', $w->dir . '/upload', '-H', 'Expect: 100-continue', "$url/put");
like $seen, qr/"method":"PUT"/, 'PUT with Expect';
is length(($seen =~ /"body":"(u*)"/)[0]), 3_000_000, 'all of it';
like $curl->('--path-as-is', "$url/a/../b/./c"), qr{"target":"/b/c"}, 'dots are taken out';
is $curl->('-w', '%{num_connects} ', "$url/own", "$url/own", "$url/own"), 'own1 own0 own0 ', 'three on one connection';
is $curl->('--parallel', '--no-progress-meter', '-w', '%{http_code} ', '-o', '/dev/null',
    "$url/own?[1-50]") =~ s/200 //gr =~ s/own//gr, '', '50 at a time';

done_testing;
