use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a page for an error is asked with GET')->needs_weir;
my $origin = $w->echo_origin;
$w->conf(<<"END");
error_page 404 /from-http;
server {
    location /from-http { return 200 "http \$status"; }
    location /inherits  { return 404; }
    location /asks      { error_page 502 = /fallback; proxy_pass http://127.0.0.1:%%PORT_nobody%%; }
    location /named     { error_page 502 = \@fallback; proxy_pass http://127.0.0.1:%%PORT_nobody%%; }
    location /goes301   { error_page 403 =301 http://example.org/; return 403; }
    location /lost      { error_page 404 \@nowhere; return 404; }
    location = /fallback { proxy_pass http://$origin; }
    location \@fallback  { proxy_pass http://$origin; }
}
END

my $answer = $w->request('POST', '/asks', body => 'abc');
is $answer->status, 200, 'the page answers';
is $w->seen($answer)->method, 'GET', 'and was asked with GET';
is $w->seen($answer)->target, '/fallback', 'for its own path';

$answer = $w->request('POST', '/named', body => 'abc');
is $w->seen($answer)->method, 'POST', 'a named location gets the request as it was';
is $w->seen($answer)->target, '/named', 'with its path';

is $w->get('/inherits')->body, 'http 404', 'http\'s error_page holds where there is no other';
is $w->get('/goes301')->status, 301, 'a redirect elsewhere with the status that was asked for';
is $w->get('/lost')->status, 500, 'a named location that is not there is an error of its own';

my $wrong = Weir::Test->new('what is wrong is refused')->allow_log(qr{\[emerg\]});
for my $bad ('error_page 404', 'error_page 299 /x', 'error_page 600 /x', 'error_page 499 /x', 'error_page =200 /x', 'error_page 404 =x /y') {
    my ($code, $said) = $wrong->check_conf("server { $bad; }");
    is $code, 1, "refused: $bad";
    like $said, qr/weir\.conf:\d+/, 'with its place';
}
done_testing;
