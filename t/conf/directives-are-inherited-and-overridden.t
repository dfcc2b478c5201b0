use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('directives are inherited and overridden');
my $origin = $w->echo_origin;
$w->conf(<<"END");
    default_type text/http;
    proxy_set_header X-Level http;
    client_max_body_size 5;
    server {
        location /inherits { return 200 x; }
        location /overrides { default_type text/own; return 200 x; }
        location /outer/ { default_type text/outer; return 200 x; location /outer/inner { return 200 x; } }
        location /set { proxy_pass http://$origin; }
        location /reset { proxy_pass http://$origin; proxy_set_header X-Other y; }
        location /big { proxy_pass http://$origin; client_max_body_size 10; }
    }
    server { listen 127.0.0.1:%%PORT_two%%; default_type text/server; location / { return 200 x; } }
END

is $w->get('/inherits')->header('Content-Type'), 'text/http', 'from http';
is $w->get('/overrides')->header('Content-Type'), 'text/own', 'overridden in a location';
is $w->get('/outer/inner')->header('Content-Type'), 'text/outer', 'from the outer location';
is $w->client(port => 'two')->get('/')->header('Content-Type'), 'text/server', 'from the server';
my $seen = $w->seen($w->get('/set'));
is $seen->header('X-Level'), 'http', 'a list is inherited';
$seen = $w->seen($w->get('/reset'));
is $seen->header('X-Level'), undef, 'whole, or not at all';
is $seen->header('X-Other'), 'y', 'when the block has its own';
is $w->request('POST', '/set', body => '123456')->status, 413, 'a limit of http';
is $w->request('POST', '/big', body => '123456')->status, 200, 'raised in a location';

done_testing;
