# Error pages, try_files, rewrite, subrequests: routes first, but for a location that is for that path alone or for nobody else.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('paths that Weir goes to are routed too')->needs_weir;
my $dead = $w->refused_peer;
my $o    = $w->origin(sub ($c) {
    return $c->reply(200, '', 'X-Accel-Redirect', $c->request->header('X-To')) if $c->request->target =~ m{^/accel};
    $c->reply($c->request->target =~ m{/no$} ? 403 : 200, 'origin ' . $c->request->target . ' ' . ($c->request->header('X-Route') // '-'));
});
$w->conf(<<"END");
    server {
        error_page 502 /50x.html;
        error_page 404 /404/page;
        error_page 410 \@gone;
        error_page 418 /routed;
        location = /50x.html { return 200 "page of \$route"; }
        location /404/ { internal; return 200 "not found in \$route"; }
        location \@gone { return 200 "gone from \$route"; }
        location = /auth { internal; proxy_pass http://$o/\$arg_is; proxy_set_header X-Route \$route; }
        location /hidden/ { internal; return 200 "hidden \$uri"; }
        location /open/ { return 200 "open \$uri"; }

        route all   { match path_prefix=/; proxy_pass http://$dead; }
        route pages { match path=/missing; return 404; }
        route gone  { match path=/gone; return 410; }
        route tea   { match path=/tea; return 418; }
        route page  { match path=/routed; return 200 "routed page"; }
        route let   { match path_prefix=/let; auth_request /auth; proxy_pass http://$o; proxy_set_header X-Route \$route; }
        route accel { match path_prefix=/accel; proxy_pass http://$o; proxy_set_header X-To \$arg_to; }
        route old   { match path_prefix=/old; rewrite ^/old(/.*)\$ /new\$1 last; }
        route stay  { match path_prefix=/stay; rewrite ^ /new/x break; proxy_pass http://$o; proxy_set_header X-Route \$route; }
        route new   { match path_prefix=/new; return 200 "\$route \$uri"; }
        route new-p { match path_prefix=/new method=PUT; return 200 "\$route \$uri"; }
        route tries { match path_prefix=/tries; try_files /nix /new/tried; }
        route named { match path_prefix=/named; try_files /nix \@gone; }
        route loop  { match path_prefix=/loop; rewrite ^(.*)\$ \$1/x last; }
        if (\$arg_server) { rewrite ^ /new/server; }
    }
END
sub is_body ($target, $want, $what, @headers) { is $w->get($target, @headers)->body, $want, $what }

is_body('/x',             'page of all',        'a page for an error, although a route takes every path');
is_body('/missing',       'not found in pages', 'an internal location is before every route');
is_body('/gone',          'gone from gone',     'a named location, and it knows where from');
is_body('/tea',           'routed page',        'else a route has the page');
is $w->get('/404/page')->body, 'page of all',   'clients go to the route still: what is internal is not theirs';
is $w->get('/50x.html')->body, 'page of all',   '… nor is a page that is there for its path alone';
is_body('/let/x',         'origin /let/x let',  'a subrequest finds its location');
is_body('/old/y',         'new /new/y',         'rewrite … last goes by the routes again');
is $w->request('PUT', '/old/y')->body, 'new-p /new/y', '… with the same method';
is_body('/stay/y',        'origin /new/x stay',        'rewrite … break stays');
is_body('/x?server=1',    'new /new/server',    'rewrite of the server is before routes');
is_body('/tries/x',       'new /new/tried',     'the last name of try_files');
is_body('/named/x',       'gone from named',    '… or a location by name');
is_body('/accel/?to=/hidden/f', 'hidden /hidden/f', 'X-Accel-Redirect to an internal location');
is_body('/accel/?to=/new/f',    'new /new/f',       '… to a route');
is $w->get('/loop')->status, 500, 'what goes on and on comes to an end';
done_testing;
