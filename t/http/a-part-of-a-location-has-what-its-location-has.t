# if and limit_except: what they do not say is the location's, its proxy_pass too; what they say holds, guards and who answers too; a location's
# status_zone counts for its parts.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a part of a location has what its location has')->needs_weir;
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join ' ', $r->target, $r->header('X-Who') // '-', $r->header('Host')) });
$w->allow_log(qr/\[error\]/);
$w->conf(<<"END");
    server {
        location /fields/ { status_zone fields; proxy_pass http://$origin/base/; if (\$arg_x) { proxy_set_header X-Who part; } }
        location /limited/ { proxy_pass http://$origin; limit_except GET { return 405; } }
        location /answers/ { if (\$arg_x) { status; } proxy_pass http://$origin; }
        location /proxied/ { if (\$arg_x) { proxy_pass http://$origin; } status; }
        location /guarded/ { allow all; if (\$arg_x) { deny all; } proxy_pass http://$origin; }
        location = /status { status; }
    }
END
is $w->get('/fields/q?x=1')->body, "/base/q?x=1 part $origin", 'a field of its own, the URI of the location';
is $w->get('/fields/q')->body, "/base/q - $origin", 'without it';
is $w->request('POST', '/limited/')->status, 405, 'limit_except may answer';
is $w->get('/limited/')->status, 200, 'the methods named are the location\'s';
like $w->get('/answers/?x=1')->body, qr/^\{/, 'another answers in it';
is $w->get('/answers/')->body, "/answers/ - $origin", 'without it';
is $w->get('/proxied/?x=1')->body, "/proxied/?x=1 - $origin", 'the other way round';
like $w->get('/proxied/')->body, qr/^\{/, 'without it';
is $w->get('/guarded/?x=1')->status, 403, 'a guard of its own';
is $w->get('/guarded/')->status, 200, 'the location\'s';
$w->wait_until('both were counted', sub { $w->get('/status')->body =~ /"fields":\{[^{}]*"requests":2\b/ });
ok 1, 'in the zone of the location';

done_testing;
