use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('return answers at once')->needs_weir;
$w->conf(<<'END', http => "log_format cause '\$uri \$status \$weir_cause';\naccess_log logs/access.log cause;\n");
server {
    error_page 404 /missing;
    location /text    { default_type text/x-test; return 200 "you are $remote_addr, $arg_name\n"; }
    location /empty   { return 200; }
    location /nothing { return 204; }
    location /code    { return 403; }
    location /page    { return 404; }
    location /no-page { return 404 plain; }
    location /missing { return 200 'instead'; }
    location /moved   { return 301 /new$is_args$args; }
    location /away    { return 308 https://example.org/x; }
    location /url     { return http://example.org$request_uri; }
    location /close   { return 444; }
    location /outer   {
        return 410;
        location /outer/inner { proxy_pass http://127.0.0.1:%%PORT%%/text; }
    }
}
server { server_name all; return 200 all; location / { return 500; } }
END

my $answer = $w->get('/text?name=x');
is $answer->status, 200, 'a text';
is $answer->body, "you are 127.0.0.1, x\n", 'with variables in it';
is $answer->header('Content-Type'), 'text/x-test', 'of the default type';
is $answer->header('Content-Length'), length $answer->body, 'with its length';

is $w->get('/empty')->body, '', 'a status alone has an empty body';
is $w->get('/nothing')->header('Content-Length'), undef, '204 has none';
like $w->get('/code')->body, qr/403 Forbidden/, 'an error alone has the built-in page';
is $w->get('/page')->status, 404, 'error_page keeps the status';
is $w->get('/page')->body, 'instead', 'and gives its page';
is $w->get('/no-page')->body, 'plain', 'an error with a text needs no page';

my $port = $w->port;
is $w->get('/moved?a=b')->header('Location'), "http://localhost:$port/new?a=b", 'a redirect within is made absolute';
is $w->get('/away')->status, 308, 'a redirect elsewhere';
is $w->get('/away')->header('Location'), 'https://example.org/x', 'stays as it is';
is $w->get('/url')->status, 302, 'an address alone is a 302';
is $w->get('/url')->header('Location'), 'http://example.org/url', 'to it';
is $w->raw("GET /close HTTP/1.1\r\nHost: x\r\n\r\n"), '', '444 closes without a word';

is $w->get('/outer')->status, 410, 'in a location';
is $w->get('/outer/inner')->status, 200, 'but not in those inside it';
is $w->request('GET', '/x', host => 'all')->body, 'all', 'in a server it comes before its locations';

my $client = $w->client;
is $client->get('/code')->status, 403, 'after an error';
is $client->get('/text')->status, 200, 'the connection goes on';

for my $line ('/missing 404 route.return', '/code 403 route.return', '/close 444 route.return', '/text 200 -', '/nothing 204 -') {
    ok $w->wait_for_access(qr/^\Q$line\E$/m), "logged: $line";
}

my $wrong = Weir::Test->new("what is wrong is refused")->allow_log(qr{\[emerg\]});
for my $bad ('return', 'return 99', 'return 1000 x', 'return /x', 'return x y', 'return 200 a b', 'return 200 $nothing') {
    my ($code, $said) = $wrong->check_conf("server { $bad; }");
    is $code, 1, "refused: $bad";
    like $said, qr/weir\.conf:\d+/, 'with its place';
}
done_testing;
