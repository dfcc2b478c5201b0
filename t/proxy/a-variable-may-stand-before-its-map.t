# Files of one folder are read by name: what one of them uses another defines later.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a variable may stand before its map');
my $origin = $w->origin(sub ($c) { $c->reply(200, join '|', map { $c->request->header($_) // '-' } qw(X-Map X-Geo X-Set)) });
$w->conf(<<"END");
    server {
        location / { proxy_set_header X-Map \$late_map; proxy_set_header X-Geo \$late_geo; proxy_set_header X-Set "<\$late_set>"; set \$late_set s; proxy_pass http://$origin; }
        location /hdr { add_header X-Map \$late_map; return 200 \$late_geo; }
    }
    map \$arg_m \$late_map { default d; 1 one; }
    geo \$late_geo { default g; volatile; }
END
is $w->get('/?m=1')->body, 'one|g|<s>', 'in proxy_set_header';
is $w->get('/hdr')->header('X-Map'), 'd', 'in add_header';
my ($code, $said) = $w->check_conf("server { location / { proxy_set_header X \$never_defined; proxy_pass http://$origin; } }");
is $code, 1, 'one that is nowhere is refused';
like $said, qr/unknown "never_defined" variable in \S+:\d+/, 'and told where';
$w->allow_log(qr/never_defined/);
done_testing;
