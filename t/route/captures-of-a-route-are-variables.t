# $route is the route's name; $route_NAME what a capture of its template or a named group of its pattern took, decoded; $1 too.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('captures of a route are variables')->needs_weir;
my $echo = $w->echo_origin;
$w->conf(<<"END");
    log_format route '\$uri "\$route" "\$route_id" "\$route_n"';
    access_log logs/route.log route;
    map \$route \$by { default "map:\$route"; }
    server {
        set \$early "[\$route]";
        route orders { match path_template=/users/{id}/orders/{n}; match path_template=/u/{id};
            set \$mine "\$route/\$route_id";
            if (\$route_n = 7) { return 200 "seven \$route_id|\$1|\$2"; }
            return 200 "\$route|\$route_id|\$route_n|\$1|\$2|\$mine|\$early|\$by"; }
        route files { match "path_regex=/f/(?<dir>[a-z]+)/([^/]*)"; return 200 "\$route|\$route_dir|\$1|\$2|\$route_id"; }
        route peer { match path_template=/peer/{id}; proxy_pass http://$echo/\$route_id?is=\$route_id;
            proxy_set_header X-Route \$route; proxy_set_header X-Id \$route_id; }
        route id { match path=/id; return 200 \$request_id; }
        route plain { match path_prefix=/plain; return 200 "\$route|\$route_id|\$1"; }
        location / { return 200 "\$route|\$route_id|\$by"; }
    }
END

is $w->get('/users/12/orders/3')->body,   'orders|12|3|12|3|orders/12|[]|map:orders', 'captures of a template';
is $w->get('/users/12/orders/7')->body,   'seven 12|12|7',                       'in an if of the route';
is $w->get('/u/a%20b')->body,             'orders|a b||a b||orders/a b|[]|map:orders', 'decoded; what the other line names is empty';
is $w->get('/users/%7Bx%7D/orders/%00')->status, 400,                              'a path that is none is refused as ever';
is $w->get('/users/%7Bx%7D/orders/%2E%2Fx')->status, 400, 'and one with a segment that is split';
is $w->get('/f/abc/x.y')->body,           'files|abc|abc|x.y|',                  'groups of a pattern';
is $w->get('/plain/x')->body,             'plain||',                             'a prefix has none';
is $w->get('/else')->body,                '||map:',                              'a location is no route';

my $seen = $w->seen($w->get('/peer/a%3Fb%25c%26'));
is $seen->target, '/a%3Fb%25c&?is=a%3Fb%25c%26', 'in an address a capture stays one segment and one value';
is $seen->header('X-Route'), 'peer',    'the name goes upstream';
is $seen->header('X-Id'),    'a?b%c&', '… and what was captured';

# An encoded slash is no slash, so that the template takes it; a reader who takes it for one would find another route.
is $w->get('/users/a%2Fb/orders/3')->status, 400, 'an encoded slash in a capture: two readings';

my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', 'why', $w->get('/id')->body);
like $said, qr/^  went to  server "", route "id"$/m, 'the story of a request names it' or diag $said;

$w->wait_for_access($_, 'route.log')
    for qr{^/users/12/orders/3 "orders" "12" "3"$}m, qr{^/u/a b "orders" "a b" "-?"$}m, qr{^/else "-" "-" "-"$}m;
pass 'in logs, and nothing where no route took it';
done_testing;
