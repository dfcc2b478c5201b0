use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('internal locations are not for clients');
$w->conf(<<'END');
    server {
        location /private/ { internal; return 200 secret; }
        location /rewritten/ { rewrite ^/rewritten/(.*)$ /private/$1 last; }
        rewrite ^/by-server/(.*)$ /private/$1;
        location /way { error_page 418 =200 /private/x; return 418; }
    }
END

is $w->get('/private/x')->status, 404, 'asked for directly';
is $w->get('/%70rivate/x')->status, 404, 'in another spelling';
is $w->get('/a/../private/x')->status, 404, 'by a detour';
is $w->get('/way')->body, 'secret', 'by an internal redirect';
is $w->get('/rewritten/x')->body, 'secret', 'by rewrite in a location';
is $w->get('/by-server/x')->body, 'secret', 'by rewrite in the server';

done_testing;
