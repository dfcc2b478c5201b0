# add_header Content-Type takes the place of the answer's own, which nginx leaves beside it; an empty Content-Encoding of a peer is none.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an answer has one type and one coding')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'x' x 2000, 'Content-Type', 'text/html', 'Content-Encoding', '', ETag => '"a"') });
$w->conf(<<"END");
    gzip on; gzip_proxied any;
    server {
        location / { proxy_pass http://$origin; }
        location /typed { proxy_pass http://$origin/; add_header Content-Type text/x-mine; add_header X-Seen \$sent_http_content_type; }
        location /empty { proxy_pass http://$origin/; add_header Content-Type ''; }
        location /text { return 200 text; add_header Content-Type application/json always; }
        location /404 { return 404; add_header Content-Type text/plain; }
        location /404-always { return 404; add_header Content-Type text/plain always; }
    }
END

my $type = sub ($path) { [ $w->get($path)->header('Content-Type') ] };
is_deeply $type->('/'), ['text/html'], "the peer's";
is_deeply $type->('/typed'), ['text/x-mine'], 'in its place';
is $w->get('/typed')->header('X-Seen'), 'text/x-mine', 'for variables, too';
is_deeply $type->('/empty'), ['text/html'], 'an empty one changes nothing';
is_deeply $type->('/text'), ['application/json'], 'of a text';
is_deeply $type->('/404'), ['text/html'], 'not of an error';
is_deeply $type->('/404-always'), ['text/plain'], 'unless always';
my $answer = $w->get('/', 'Accept-Encoding' => 'gzip');
is_deeply [ $answer->header('Content-Encoding') ], ['gzip'], 'an empty coding is none';
is $answer->header('ETag'), 'W/"a"', 'and the tag is weak';

done_testing;
