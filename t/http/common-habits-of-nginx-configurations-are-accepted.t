# Of real configurations: a location that does not begin with a slash is warned of, rewrite to a path without one gets it, a returned text has the type of its name,
# 405 says what is allowed, a Host may end in a colon.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('common habits of nginx configurations are accepted');
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->target) });
mkdir $w->dir . '/html';
$w->write_file('html/file.html', 'file');
$w->allow_log(qr/does not begin with|cause: |is not found/);
$w->conf(<<"END", workers => 1);
    types { text/plain txt; application/json json; }
    default_type application/octet-stream;
    server {
        root html;
        location (^/a) { return 200; }
        location = /robots.txt { return 200 "User-agent: *"; }
        location = /a.json { return 200 "{}"; }
        location = /nothing { return 200 "x"; }
        location /typed.txt { default_type text/html; types { } return 200 "x"; }
        location /c/ { rewrite ^/c/(.*)\$ \$1 break; proxy_pass http://$origin; }
        location /d/ { rewrite ^/d/(.*)\$ \$1 break; try_files /nope/\$uri =404; }
        location /r { if (\$request_method = POST) { return 405; } return 200; }
        location /g { return 405; }
        location /host { return 200 "\$host|\$http_host"; }
    }
END
is $w->get($_->[0])->header('Content-Type'), $_->[1], "$_->[0] is $_->[1]" for [ '/robots.txt', 'text/plain' ], [ '/a.json', 'application/json' ],
    [ '/nothing', 'application/octet-stream' ], [ '/typed.txt', 'text/html' ];
is $w->get('/d/a')->status, 404, 'rewrite to a path without a slash, and try_files';
is $w->client->send("GET /host HTTP/1.1\r\nHost: a:\r\n\r\n")->read_response->body, $w->is_nginx ? 'a|a:' : 'a|a', 'a colon without a port';
if (!$w->is_nginx) {
    is $w->get('/c/a?b')->body, '/a?b', 'rewrite to a path without a slash, and proxy_pass';
    my $allow = sub ($method, $path) { $w->request($method, $path, body => '')->header('Allow') };
    is $allow->('POST', '/r'), 'GET, HEAD, PUT, DELETE, OPTIONS, PATCH', 'what return refused is not allowed';
    is $allow->('GET', '/g'), 'POST, PUT, DELETE, OPTIONS, PATCH', 'HEAD is not, where GET is not';
    is $allow->('POST', '/file.html'), 'GET, HEAD', 'a file has GET and HEAD';
    is $allow->('TRACE', '/g'), 'GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH', 'TRACE is nowhere';
}
done_testing;
