# RFC 9110 §9.1
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a method is case-sensitive and free');
my $origin = $w->echo_origin;
$w->conf("server { location / { proxy_pass http://$origin; } location /own { return 200 \$request_method; } }");

for my $method (qw(GET POST PUT DELETE PATCH OPTIONS PROPFIND MKCOL COPY MOVE LOCK UNLOCK BREW M-SEARCH)) {
    is $w->seen($w->request($method, '/'))->method, $method, "$method goes up";
    is $w->request($method, '/own')->body, $method, "$method is answered here";
}

done_testing;
