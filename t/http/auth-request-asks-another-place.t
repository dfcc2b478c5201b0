# auth_request: 2xx lets in, 401 and 403 are the answer, all else is an error; what the place is sent, and what is taken over from its answer.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('auth_request asks another place');
my $auth = $w->origin(sub ($c) {
    my $r = $c->request;
    my ($say) = ($r->header('X-Say') // '200');
    $c->note(join ' ', $r->method, $r->target, length $r->body, $r->header('X-Original-URI') // '-', $r->header('X-Original-Method') // '-', $r->header('Content-Length') // '-');
    return $c->close if $say eq 'close';
    $c->reply($say, 'x' x ($r->header('X-Long') // 3), 'X-User' => 'user of ' . ($r->header('X-Name') // 'nobody'), $say == 401 ? ('WWW-Authenticate' => 'Custom realm="a"') : ());
});
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join '|', $r->method, $r->target, $r->header('X-User') // '-', $r->body) });
my $hang = $w->peer(sub ($c) { $c->read_request; $c->note('asked'); $c->fill });
my $endless = $w->peer(sub ($c) { $c->read_request; $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin"); $c->fill });
my $dead = $w->refused_peer;
$w->allow_log(qr/\[emerg\]/, qr/auth request unexpected status|No such file|no such file|auth\.request|upstream\.|refused|prematurely|connect\(\) failed|Connection refused|access forbidden/);
$w->conf(<<"END");
    log_format s '\$uri \$status';
    access_log logs/s.log s;
    server {
        auth_request /auth;
        location / {
            auth_request_set \$user \$upstream_http_x_user;
            auth_request_set \$code \$upstream_status;
            proxy_set_header X-User \$user;
            add_header X-Code \$code;
            proxy_pass http://$origin;
        }
        location = /auth {
            internal;
            proxy_pass http://$auth;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-Original-URI \$request_uri;
            proxy_set_header X-Original-Method \$request_method;
        }
        location /open { auth_request off; proxy_pass http://$origin; }
        location /page { error_page 401 /login; error_page 500 = /login; proxy_pass http://$origin; }
        location /login { auth_request off; return 200 "log in"; }
        location /static { auth_request /yes; return 200 "in"; }
        location /proxied { auth_request /yes; proxy_pass http://$origin; }
        location /no { auth_request /never; proxy_pass http://$origin; }
        location /yes { return 204; }
        location /never { return 403; }
        location /odd { auth_request /redirects; proxy_pass http://$origin; }
        location /redirects { return 302 /x; }
        location /missing { auth_request /nofile; proxy_pass http://$origin; }
        location /nofile { }
        location /down { auth_request /authdown; proxy_pass http://$origin; }
        location /authdown { proxy_pass http://$dead; }
        location /hang { auth_request /authhang; proxy_pass http://$origin; }
        location /authhang { proxy_read_timeout 300ms; proxy_pass http://$hang; }
        location /wait { auth_request /authwait; proxy_pass http://$origin; }
        location /authwait { proxy_pass http://$hang; }
        location /endless { auth_request /authendless; proxy_pass http://$origin; }
        location /authendless { proxy_pass http://$endless; }
        location /any { satisfy any; deny all; auth_request /auth; proxy_pass http://$origin; }
        location /both { allow 127.0.0.1; deny all; auth_request /auth; proxy_pass http://$origin; }
        location /logged { log_subrequest on; auth_request /sublogged; proxy_pass http://$origin; }
        location = /sublogged { log_subrequest on; proxy_pass http://$auth; }
    }
END
my $get = sub ($path, @fields) { $w->get($path, @fields) };

my $answer = $get->('/x?a=b', 'X-Name' => 'me');
is $answer->status, 200, 'let in';
is $answer->body, 'GET|/x?a=b|user of me|', 'with what the place said of who comes';
is $answer->header('X-Code'), 200, 'and other variables';
is +($auth->notes)[-1], 'GET /auth 0 /x?a=b GET -', 'it was asked without a body';
is $w->request('POST', '/x', body => 'a body', headers => [ 'X-Name' => 'poster' ])->body, 'POST|/x|user of poster|a body', 'a body goes where it belongs';
is +($auth->notes)[-1], 'GET /auth 0 /x POST -', 'and nowhere else';
$answer = $get->('/x', 'X-Say' => 401);
is $answer->status, 401, 'who is not known';
is $answer->header('WWW-Authenticate'), 'Custom realm="a"', 'is asked as the place asks';
is $get->('/x', 'X-Say' => 403)->status, 403, 'who may not';
is $get->('/x', 'X-Say' => $_)->status, 500, "$_ says neither" for 302, 404, 500, 503;
is $get->('/x', 'X-Say' => 204)->status, 200, '204 lets in too';
is $get->('/x', 'X-Say' => 'close')->status, 500, 'a place that breaks off lets nobody in';
is $get->($_)->status, 500, "$_ lets nobody in" for qw(/down /missing /odd /hang);
is $get->('/no')->status, 403, 'a place that answers itself';
is $get->('/proxied')->status, 200, 'yes';
is $get->('/open', 'X-Say' => 403)->status, 200, 'off';
is $get->('/page', 'X-Say' => 401)->body, 'log in', 'a page for those without';
is $get->('/page', 'X-Say' => 404)->status, 200, 'a page for an error of it';
is $get->('/any')->status, 200, 'satisfy any: it is enough';
is $get->('/any', 'X-Say' => 403)->status, 403, 'if it says yes';
is $get->('/both')->status, 200, 'satisfy all';
is $get->('/both', 'X-Say' => 401)->status, 401, 'asks for both';
is $get->('/auth')->status, 404, 'nobody comes to the place itself';
is $get->('/x', 'X-Long' => 200_000)->status, 200, 'a long answer does not matter';
is $get->('/endless')->status, 200, 'nor one without an end';
my $client = $w->client;
is $client->get('/x', 'X-Name' => $_)->body, "GET|/x|user of $_|", "one after another on a connection: $_" for 1 .. 5;
my $impatient = $w->client;
$impatient->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
$hang->wait_note('asked');
$impatient->close;
is $get->('/x')->status, 200, 'a client that leaves while it is asked for leaves nothing behind';
is $w->request('HEAD', '/x')->status, 200, 'HEAD';
is $get->('/x', Range => 'bytes=0-1', 'If-None-Match' => '*')->status, 200, 'conditions are not the place\'s';
$get->('/logged');
$w->wait_for_access(qr{^/logged 200$}m, 's.log');
like $w->access_log('s.log'), qr{^/sublogged 200$}m, 'log_subrequest';
unlike $w->access_log('s.log'), qr{^/auth 200$}m, 'not otherwise';
unless ($w->is_nginx) {
    my $at_once = join '', map { "GET /x HTTP/1.1\r\nHost: a\r\nX-Name: $_\r\n\r\n" } 1 .. 10;
    my $piped = $w->client->send($at_once);
    is_deeply [ map { $piped->read_response->body } 1 .. 10 ], [ map { "GET|/x|user of $_|" } 1 .. 10 ], 'pipelined';
}
for my $bad ([ 'auth_request;', qr/invalid number of arguments/ ], [ 'auth_request_set user x;', qr/invalid variable name "user"/ ], [ 'auth_request_set $x;', qr/invalid number of arguments/ ]) {
    my ($code, $said) = $w->check_conf("server { location / { $bad->[0] } }");
    like $said, $bad->[1], "refused: $bad->[0]";
}
done_testing;
