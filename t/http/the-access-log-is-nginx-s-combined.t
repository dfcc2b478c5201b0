use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new("the access log is nginx's combined");
$w->conf('server { location / { return 200 hello; } location /none { return 404; } }');

$w->request('GET', '/a?b=c', headers => [ 'User-Agent' => 'agent/1.0', 'Referer' => 'http://from/' ]);
my $line = $w->wait_for_access(qr/^.*"GET \/a.*\n/m);
like $line, qr{^127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /a\?b=c HTTP/1\.1" 200 5 "http://from/" "agent/1\.0"$}, 'every field';
$w->get('/none');
like $w->wait_for_access(qr/^.*"GET \/none.*\n/m), qr{ 404 \d+ "-" "-"$}, 'what was not sent is a dash';

done_testing;
