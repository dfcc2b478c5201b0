# What may stand in a location may stand in a route; parts of it too; what the server says is inherited.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a route has what a location has')->needs_weir;
my $o = $w->echo_origin;
mkdir $w->dir . $_ for '/files', '/files/sub';
$w->write_file('files/a.txt', "a\n");
$w->write_file('files/index.html', "index\n");
$w->write_file('files/sub/b.txt', "b\n");
$w->conf(<<"END");
    server {
        add_header X-Server yes;
        add_header X-Route \$route;
        location /r { return 200 location; }
        route ifs { match path_prefix=/if;
            if (\$arg_a) { add_header X-If 1; return 200 "if \$route"; }
            return 200 plain; }
        route some { match path_prefix=/only; limit_except GET { deny all; } return 200 never; }
        route guard { match path_prefix=/only/read; limit_except GET POST { deny all; } proxy_pass http://$o; }
        route denied { match path_prefix=/denied; deny all; }
        route inside { match path_prefix=/inside; internal; }
        route small { match path_prefix=/small; client_max_body_size 3; proxy_pass http://$o; }
        route files { match path_prefix=/files; root %%DIR%%; index index.html; }
        route alias { match path_prefix=/al/ias; alias %%DIR%%/files/; }
        route one { match path=/one.txt; alias %%DIR%%/files/a.txt; }
        route noslash { match path_prefix=/al/noslash/; alias %%DIR%%/files; }
        route whole { match "path_regex=/w/(.*)"; match path_template=/t/{name}; alias %%DIR%%/files/\$1; }
        route try { match path_prefix=/try; alias %%DIR%%/files/; try_files \$uri sub/b.txt /try/sub/b.txt =404; }
        route zone { match path_prefix=/zone; status_zone routes; return 200 zone; }
        route nothing { match path_prefix=/nothing; }
        location / { return 200 location; }
    }
END
sub body ($target, @headers) { $w->get($target, @headers)->body }

is body('/if?a=1'), 'if ifs', 'an if of a route';
is $w->get('/if?a=1')->header('X-If'), 1, '… with what stands in it';
is body('/if'), 'plain', '… or not';
is $w->get('/if')->header('X-Server'), 'yes', 'what the server says is inherited';
is $w->get('/if')->header('X-Route'), 'ifs', '… and tells the route';
is $w->get('/x')->header('X-Route'), undef, '… and none in a location';
is $w->request('GET', '/only/read')->status, 200, 'limit_except: what it is not for';
is $w->request('POST', '/only/read')->status, 200, '… two methods';
is $w->request('PUT', '/only/read')->status, 403, '… and all others';
is $w->get('/denied/x')->status, 403, 'a guard';
is $w->get('/inside')->status, 404, 'an internal route is for no client';
is $w->request('POST', '/small', body => 'abcd')->status, 413, 'a limit';
is body('/files/a.txt'), "a\n", 'files below root';
is body('/files/'), "index\n", '… and its index, which the same route takes';
is body('/al/ias/a.txt'), "a\n", 'alias stands for the prefix';
is body('/al/ias/sub/b.txt'), "b\n", '… and all below';
is $w->get('/al/iasx/a.txt')->body, 'location', '… by segment';
is body('/al/noslash/a.txt'), "a\n", 'with or without slashes at the ends';
is body('/one.txt'), "a\n", '… and for a whole path';
is body('/w/a.txt'), "a\n", 'behind a pattern alias is the whole name';
is body('/t/a.txt'), "a\n", '… and behind a template';
is body('/try/a.txt'), "a\n", 'try_files finds what is there';
is body('/try/nix'), "b\n", '… and what stands behind it';
is body('/zone'), 'zone', 'a zone of statistics';
is $w->get('/nothing')->status, 404, 'a route without content has files, as a location';
done_testing;
