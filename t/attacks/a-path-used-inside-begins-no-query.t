# Where $uri and its like stand in the paths of try_files, error_page, auth_request and mirror, a client's %3F begins no query, %26 no argument, and
# no space or line end of its path comes into a request line.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a path used inside begins no query')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->target, 'X-Target' => $c->request->target) });
$w->allow_log(qr/cause[:=] ?(?:route|file)\./);
$w->conf(<<"END", workers => 1);
    map \$uri \$mapped { "~^(?s)(?<all>.*)\$" \$all; }
    server {
        set \$kept \$uri;
        location /try/path { try_files /none /peer\$uri; }
        location /try/query { try_files /none /peer?q=\$uri&\$args; }
        location /error/path { error_page 404 = /peer\$uri; return 404; }
        location /error/query { error_page 404 = /peer?q=\$uri&r=1; return 404; }
        location /error/away { error_page 404 http://h\$uri; return 404; }
        location /set/path { error_page 404 = /peer\$kept; return 404; }
        location /set/query { error_page 404 = /peer?q=\$kept; return 404; }
        location /map { error_page 404 = /peer\$mapped; return 404; }
        location ~ "(?s)^/group(.*)\$" { error_page 404 = /peer\$1?q=\$1; return 404; }
        location /ask { auth_request /peer\$uri?q=\$uri; auth_request_set \$said \$upstream_http_x_target; add_header X-Said \$said; empty_gif; }
        location /peer { proxy_pass http://$origin; }
    }
END
my $hard = '/a%20b%26c%3Fd%23e%0D%0AX:%25';
my ($path, $value) = ('/a%20b&c%3Fd%23e%0D%0AX:%25', '/a%20b%26c%3Fd%23e%0D%0AX:%25');
my $is = sub ($asked, $want) { my $answer = $w->get($asked); is $answer->body, $want, $asked; is $answer->status, 200, "$asked: 200" };
$is->("/try/path$hard", "/peer/try/path$path");
$is->("/try/query$hard?k=1", "/peer?q=/try/query$value&k=1");
$is->("/error/path$hard", "/peer/error/path$path");
$is->("/error/query$hard", "/peer?q=/error/query$value&r=1");
$is->("/set/path$hard", "/peer/set/path$path");
$is->("/set/query$hard", "/peer?q=/set/query$value");
$is->("/map$hard", "/peer/map$path");
$is->("/group$hard", "/peer$path?q=$value");
$is->('/error/path/a%2Fb%252F', '/peer/error/path/a%2Fb%252F');
is $w->get("/error/away$hard")->header('Location'), "http://h/error/away$hard", 'a redirect to the client';
is $w->get("/ask$hard")->header('X-Said'), "/peer/ask$path?q=/ask$value", 'a subrequest';
done_testing;
