use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('return is for its own place')->needs_weir;
$w->conf(<<'END', http => "log_format cause '\$uri \$status \$weir_cause';\naccess_log logs/access.log cause;\n");
server {
    error_page 404 /missing;
    location /missing { return 200 'instead'; }
    location /page    { return 404; }
    location /no-page { return 404 plain; }
    location /fine    { return 200 fine; }
    location /close   { return 444; }
    location /outer   {
        return 410;
        location /outer/inner { proxy_pass http://127.0.0.1:%%PORT%%/fine; }
        location /outer/empty { default_type text/html; }
    }
}
END

is $w->get('/outer')->status, 410, 'in a location';
is $w->get('/outer/inner')->body, 'fine', 'but not in one inside that has its own answer';
is $w->get('/outer/empty')->status, 404, 'nor in one that has none';

my $answer = $w->get('/page');
is $answer->status, 404, 'an error alone';
is $answer->body, 'instead', 'is for error_page';
is $w->get('/no-page')->body, 'plain', 'an error with a text is not';

my $client = $w->client;
is $client->get('/no-page')->status, 404, 'after an error';
is $client->get('/fine')->status, 200, 'the connection goes on';
is $w->raw("GET /close HTTP/1.1\r\nHost: x\r\n\r\n"), '', '444 closes it';

for my $line ('/no-page 404 route.return', '/missing 404 route.return', '/close 444 route.return', '/outer 410 route.return', '/fine 200 -') {
    ok $w->wait_for_access(qr/^\Q$line\E$/m), "logged: $line";
}

my $wrong = Weir::Test->new('what is wrong is refused')->allow_log(qr{\[emerg\]});
for my $bad ('return', 'return 99', 'return 1000 x', 'return /x', 'return x y', 'return 200 a b', 'return 200 $nothing') {
    my ($code, $said) = $wrong->check_conf("server { $bad; }");
    is $code, 1, "refused: $bad";
    like $said, qr/weir\.conf:\d+/, 'with its place';
}
done_testing;
