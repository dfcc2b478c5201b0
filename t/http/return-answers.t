use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('return answers');
$w->conf(<<'END');
    server {
        server_name here;
        location /code { return 204; }
        location /text { return 200 "hello $arg_name"; }
        location /type { default_type text/css; return 200 x; }
        location /empty { return 200 ""; }
        location /301 { return 301 /moved?$args; }
        location /302 { return http://elsewhere/; }
        location /307 { return 307 https://$host$uri; }
        location /308 { return 308 /x; }
        location /relative { absolute_redirect off; return 302 /y; }
        location /noport { port_in_redirect off; return 302 /y; }
        location /named { server_name_in_redirect on; return 302 /y; }
        location /closed { return 444; }
        location /503 { return 503 "later"; }
        location /599 { return 599; }
    }
    server { listen 127.0.0.1:%%PORT_srv%%; return 200 server; location / { return 200 location; } }
END

my $port = $w->port;
is $w->get('/code')->status, 204, 'a code';
is $w->get('/text?name=joe')->body, 'hello joe', 'text with variables';
is $w->get('/text')->header('Content-Type'), 'text/plain', 'default type';
is $w->get('/type')->header('Content-Type'), 'text/css', 'default_type';
is $w->get('/empty')->header('Content-Length'), 0, 'an empty text';
my %to = ('/301' => [ 301, "http://localhost:$port/moved?a=b" ], '/302' => [ 302, 'http://elsewhere/' ],
    '/307' => [ 307, 'https://localhost/307' ], '/308' => [ 308, "http://localhost:$port/x" ],
    '/relative' => [ 302, '/y' ], '/noport' => [ 302, 'http://localhost/y' ],
    '/named' => [ 302, "http://here:$port/y" ]);
for my $path (sort keys %to) {
    my $answer = $w->get("$path?a=b");
    is $answer->status, $to{$path}[0], "$path: status";
    is $answer->header('Location'), $to{$path}[1], "$path: Location";
}
is $w->raw("GET /closed HTTP/1.1\r\nHost: localhost\r\n\r\n"), '', '444 just closes';
is $w->get('/503')->body, 'later', 'any status with a text';
is $w->get('/599')->status, 599, 'a status nobody knows';
is $w->request('POST', '/text', body => 'x')->status, 200, 'whatever the method';
is $w->client(port => 'srv')->get('/')->body, 'server', "the server's own comes before its locations";

done_testing;
