use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('error_page answers instead')->needs_weir;
my $origin = $w->echo_origin;
$w->conf(<<"END");
error_page 404 /from-http;
server {
    location /from-http { return 200 "http \$status"; }
    location /inherits  { return 404; }

    location /keeps   { error_page 403 404 /page; return 403; }
    location /sets    { error_page 403 =200 /page; return 403; }
    location /takes   { error_page 403 = /made; return 403; }
    location /named   { error_page 403 \@named; return 403; }
    location /goes    { error_page 403 http://example.org/\$uri; return 403; }
    location /goes301 { error_page 403 =301 http://example.org/; return 403; }
    location /asks    { error_page 502 = /fallback; proxy_pass http://127.0.0.1:%%PORT_nobody%%; }
    location /loops   { error_page 404 /loops; return 404; }
    location /lost    { error_page 404 \@nowhere; return 404; }

    location = /page     { internal; return 200 "page"; }
    location = /made     { return 201 "made"; }
    location \@named     { return 200 "named \$uri"; }
    location = /fallback { proxy_pass http://$origin; }
}
END

sub asks ($target, $status, $body, $what, %arg) {
    my $answer = $w->request($arg{method} // 'GET', $target, %arg);
    is $answer->status, $status, "$what: status";
    like $answer->body, $body, "$what: body";
    return $answer;
}

asks '/inherits', 404, qr/^http 404$/, 'that of http';
asks '/keeps', 403, qr/^page$/, 'a page within';
asks '/page', 404, qr/^http/, 'an internal page cannot be asked for';
asks '/sets', 200, qr/^page$/, '=200';
asks '/takes', 201, qr/^made$/, '=';
asks '/named', 403, qr{^named /named$}, 'a named location keeps the path';
is asks('/goes', 302, qr/302/, 'an address elsewhere')->header('Location'), 'http://example.org//goes', 'is a redirect';
asks '/goes301', 301, qr/301/, 'with its status';
asks '/loops', 404, qr/404 Not Found/, 'a page that fails itself';
asks '/lost', 404, qr/404 Not Found/, 'a named location that is not there';

my $answer = asks '/asks', 200, qr/./, 'a peer that fails', method => 'POST', body => 'abc';
is $w->seen($answer)->method, 'GET', 'the fallback is asked with GET';

my $wrong = Weir::Test->new("what is wrong is refused")->allow_log(qr{\[emerg\]});
for my $bad ('error_page 404', 'error_page 299 /x', 'error_page 600 /x', 'error_page 499 /x', 'error_page =200 /x', 'error_page 404 =x /y') {
    my ($code, $said) = $wrong->check_conf("server { $bad; }");
    is $code, 1, "refused: $bad";
    like $said, qr/weir\.conf:\d+/, 'with its place';
}
done_testing;
