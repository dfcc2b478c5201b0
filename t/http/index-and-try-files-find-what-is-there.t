# index and try_files: which of several files answers, with internal redirects, folders, named locations and statuses; autoindex where there is none.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('index and try_files find what is there');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'origin ' . $c->request->target) });
my $dir    = $w->dir;
chmod 0755, $dir;
mkdir "$dir/$_" or die $! for qw(html html/full html/other html/bare html/app html/app/assets);
$w->write_file("html/$_", $_) for qw(index.html full/index.html other/start.txt other/index.php app/index.html app/page.html app/assets/a.css index2.html);
chmod 0755, "$dir/$_" for qw(html html/full html/other html/bare html/app html/app/assets);
$w->conf(<<"END");
    root $dir/html;
    server {
        location /other/ { index none.html start.\$arg_s index.php; }
        location ~ \\.php\$ { return 200 "php \$uri"; }
        location /bare/ { index none /index2.html; }
        location = /none/ { }
        location /app/ { try_files \$uri \$uri.html \$uri/ /app/index.html?q=\$uri; }
        location /api/ { try_files \$uri \@back; }
        location /gone/ { try_files \$uri =410; }
        location /ok/ { try_files \$uri =204; }
        location /fixed/ { try_files /app/page.html =404; }
        location /al/ { alias $dir/html/app/; try_files \$uri \$uri.html =404; }
        location /alf/ { alias $dir/html/app/; try_files page.html =404; }
        location /px/ { try_files /app\$uri /app/page.html =404; proxy_pass http://$origin; }
        location /dirs/ { try_files /app/assets/ /full/ =404; }
        location \@back { proxy_pass http://$origin; }
            location = /app { try_files \$uri \$uri/ =404; }
        location /loop/ { try_files \$uri /loop/again; }
    }
END
$w->allow_log(qr/\[emerg\]/, qr/\[error\] .*(?:No such file|is forbidden|internal redirection cycle|is not found|redirects or rewrites|no index|cause: file)/);

my @bodies = ([ '/', 'index.html' ], [ '/full/', 'full/index.html' ], [ '/other/?s=txt', 'other/start.txt' ], [ '/other/', 'php /other/index.php' ],
    [ '/bare/', 'index2.html' ], [ '/app/', 'app/index.html' ], [ '/app/page.html', 'app/page.html' ], [ '/app/page', 'app/page.html' ],
    [ '/app/no/such', 'app/index.html' ], [ '/app/assets/a.css', 'app/assets/a.css' ], [ '/api/x?y=1', 'origin /api/x?y=1' ], [ '/fixed/', 'app/page.html' ],
    [ '/al/page', 'app/page.html' ], [ '/al/assets/a.css', 'app/assets/a.css' ], [ '/alf/whatever', 'app/page.html' ], [ '/px/y?a=b', $w->is_nginx ? 'origin /px/y?a=b' : 'origin /app/page.html?a=b' ]);
is $w->get($_->[0])->body, $_->[1], "$_->[0]" for @bodies;
my @statuses = ([ '/gone/x', 410 ], [ '/ok/x', 204 ], [ '/al/none', 404 ], [ '/none/', 404 ], [ '/loop/x', 500 ], [ '/dirs/x', 301 ], [ '/app', 301 ], [ '/missing/', 404 ], [ '/index.html/', 404 ]);
is $w->get($_->[0])->status, $_->[1], "$_->[0] is $_->[1]" for @statuses;
like $w->get('/app?a=1')->header('Location'), qr{/app/\?a=1$}, 'a folder that was found is redirected to, so that its links are right';
is $w->request('PUT', '/full/')->status, 405, 'only GET, HEAD and POST look for an index';
is $w->request('HEAD', '/full/')->status, 200, 'HEAD does';
unless ($w->is_nginx) {
    is $w->get('/app/%2e%2e/x')->status, 404, 'a path has no dots';
}

for my $bad ([ 'index;', qr/invalid number of arguments/ ], [ 'index "";', qr/index "" in "index" directive is invalid/ ], [ 'try_files $uri;', qr/invalid number of arguments/ ],
    [ 'try_files $uri =abc;', qr/invalid code "=abc"/ ], [ 'try_files $uri =1000;', qr/invalid code "=1000"/ ], [ 'try_files $nothing_there =404;', qr/unknown "nothing_there" variable/ ],
    [ 'try_files a b; try_files c d;', qr/"try_files" directive is duplicate/ ])
{
    my ($code, $said) = $w->check_conf("server { location / { $bad->[0] } }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told';
}

done_testing;
