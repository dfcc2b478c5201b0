use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a Date and a Server are in every answer');
my $origin = $w->origin(sub ($c) {
    $c->reply(200, 'x', 'Date' => 'Thu, 01 Jan 1970 00:00:00 GMT', 'Server' => 'origin/9') });
$w->conf("server { location / { return 200 ok; } location /404 { return 404; } location /up { proxy_pass http://$origin; } }");

for my $path ('/', '/404', '/up') {
    my $answer = $w->get($path);
    like $answer->header('Date'), qr/^\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT$/, "$path: Date is ours";
    is scalar(my @servers = $answer->header('Server')), 1, "$path: one Server";
    unlike $answer->header('Server'), qr/origin/, "$path: not the origin's";
}
like $w->raw("GET / HTTP/1.1\r\n\r\n"), qr/^Date: /m, 'on a refused request too';

done_testing;
