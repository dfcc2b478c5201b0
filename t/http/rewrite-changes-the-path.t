# rewrite: for the directives behind it, for the location, as a redirect; groups, arguments, flags, cycles.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('rewrite changes the path');
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->target) });
$w->conf(<<"END", http => "log_format cause '\$request_uri \$status';\n");
    server {
        rewrite ^/server/(.*)\$ /shown/\$1?from=server last;
        rewrite ^/both/(.*)\$ /one/\$1;
        rewrite ^/one/(.*)\$ /shown/two/\$1;
        rewrite ^/gone/(.*)\$ /new/\$1 permanent;
        rewrite ^/temp/(.*)\$ /new/\$1 redirect;
        rewrite ^/away/(.*)\$ http://elsewhere/\$1;
        rewrite ^/noargs/(.*)\$ /new/\$1? redirect;
        rewrite ^/inargs/(.*)\$ /new?name=\$1 redirect;
        rewrite ^/stays break;
        location /shown { return 200 "\$uri?\$args"; }
        location /last/ { rewrite ^/last/(.*)\$ /shown/\$1 last; return 200 unreached; }
        location /on/ { rewrite ^/on/(.*)\$ /shown/\$1; rewrite ^/shown/x /shown/y; }
        location /break/ { rewrite ^/break/(.*)\$ /shown/\$1 break; return 200 unreached; proxy_pass http://$origin; }
        location /alone/ { rewrite ^/alone/(.*)\$ /shown/\$1; break; proxy_pass http://$origin; }
        location /uri/ { rewrite ^/uri/b(.*)\$ /c\$1 break; proxy_pass http://$origin/base/; }
        location /named/ { rewrite ^/named/(?<first>[a-z]+)/(?<second>.*)\$ /shown/\$second-\$first last; }
        location /cycle/ { rewrite ^/cycle/(.*)\$ /cycle/\$1x last; }
        location /empty { rewrite ^ \$arg_none last; }
        location /dots/ { rewrite ^/dots/(.*)\$ /shown/a/b/\$arg_to/\$1 last; }
        location /failed { error_page 404 \@named; rewrite ^ /shown; return 404; }
        location \@named { proxy_pass http://$origin; }
        location /inhere { rewrite ^ /shown?one=\$arg_two&x=1 last; }
    }
END
$w->allow_log(qr/\[error\]/);

is $w->get('/server/a?x=1')->body,    '/shown/a?from=server&x=1', 'in a server, last; arguments of both';
is $w->get('/both/a')->body,          '/shown/two/a?',            'one after the other without a flag';
is $w->get('/last/a%20b?x')->body,    '/shown/a b?x',             'in a location, last';
is $w->get('/on/x')->body,            '/shown/y?',                'in a location without a flag';
is $w->get('/break/a%20b?x=1')->body, '/shown/a%20b?x=1',         'break stays in the location, and what was made is sent';
is $w->get('/alone/a')->body,         '/shown/a',                 'break by itself too';
is $w->get('/uri/bad')->body,         '/cad',                     'the URI of proxy_pass is for the path as it was';
is $w->get('/uri/x')->body,           '/base/x',                  'when no rewrite made it another';
is $w->get('/named/a/b')->body,       '/shown/b-a?',              'named groups';
is $w->get('/inhere?two=2')->body,    '/shown?one=2&x=1&two=2',   'variables in arguments';

is $w->get('/failed')->body, '/shown', 'a named location for an error is where it goes, whatever was rewritten before';
my %to = ('/gone/a?x=1' => [ 301, '/new/a?x=1' ], '/temp/a' => [ 302, '/new/a' ], '/noargs/a?x=1' => [ 302, '/new/a' ],
    '/inargs/a' => [ 302, '/new?name=a' ]);
for my $path (sort keys %to) {
    my $answer = $w->get($path);
    is $answer->status, $to{$path}[0], "$path: status";
    is $answer->header('Location'), 'http://localhost:' . $w->port . $to{$path}[1], "$path: Location";
}
is $w->get('/away/b?c')->header('Location'), 'http://elsewhere/b?c', 'to an address';
is $w->get('/inargs/a%26b%3Dc%3Fd%20e%0Df')->header('Location'), 'http://localhost:' . $w->port . '/new?name=a%26b=c%3Fd%20e%0Df',
    'a group makes no other argument and no line';

is $w->get('/cycle/a')->status, 500, 'in circles';
is $w->get('/empty')->status, 500, 'to nothing';
unless ($w->is_nginx) {
    is $w->get('/dots/x?to=..')->body, '/shown/a/x?to=..', 'dots are taken out of what was made';
    is $w->get('/dots/x?to=../../../..')->status, 500, 'and do not lead out';
    like $w->error_log, qr{A rewrite made a path that is not valid.*cause: route\.rewrite}, 'told';
    like $w->error_log, qr{More than 10 internal redirects or rewrites.*cause: route\.loop}, 'and so are circles';
}

done_testing;
