# X-Original-URL, X-HTTP-Method-Override, X-Forwarded-*, Forwarded of strangers: nothing that Weir decides, says or makes goes by them.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('override fields of clients change nothing')->needs_weir;
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join '|', $r->method, $r->target, map { $r->header($_) // '-' } qw(Host X-Real-IP X-Scheme X-Forwarded-For)) });
$w->conf(<<"END");
    server {
        location / {
            proxy_set_header Host \$host;
            proxy_set_header X-Real-IP \$remote_addr;
            proxy_set_header X-Scheme \$scheme;
            proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
            proxy_pass http://$origin;
        }
        location /admin { return 403; }
        location /guarded { allow 192.0.2.1; deny all; proxy_pass http://$origin; }
        location /only { limit_except GET { deny all; } proxy_pass http://$origin; }
        location /trusted { set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; real_ip_recursive on; proxy_set_header X-Real-IP \$remote_addr; proxy_pass http://$origin; }
        location /moved { return 301 /there; }
    }
END
$w->allow_log(qr/cause: (?:access|route)\./);
my @stranger = ('X-Original-URL' => '/admin', 'X-Rewrite-URL' => '/admin', 'X-Original-URI' => '/admin', 'X-HTTP-Method-Override' => 'DELETE', 'X-HTTP-Method' => 'DELETE', 'X-Method-Override' => 'DELETE',
    'X-Forwarded-Host' => 'evil.test', 'X-Forwarded-Proto' => 'https', 'X-Forwarded-Port' => 443, 'X-Host' => 'evil.test', 'X-Forwarded-Server' => 'evil.test', 'X-Real-IP' => '192.0.2.1',
    'X-Forwarded-For' => '192.0.2.1', Forwarded => 'for=192.0.2.1;host=evil.test;proto=https', 'X-Client-IP' => '192.0.2.1', 'True-Client-IP' => '192.0.2.1', 'CF-Connecting-IP' => '192.0.2.1');
is $w->get('/x', @stranger)->body, 'GET|/x|localhost|127.0.0.1|http|192.0.2.1, 127.0.0.1', 'method, path, host, address and scheme are the connection\'s';
is $w->get('/admin', 'X-Original-URL' => '/x')->status, 403, 'a guard is not talked round';
is $w->get('/guarded', @stranger)->status, 403, 'an address that is only said opens nothing';
is $w->request('POST', '/only', headers => [ 'X-HTTP-Method-Override' => 'GET' ])->status, 403, 'nor does a method';
is $w->request('POST', '/x', headers => [ 'X-HTTP-Method-Override' => 'GET' ])->body =~ s/\|.*//r, 'POST', 'what is sent is what came';
like $w->get('/moved', @stranger)->header('Location'), qr{^http://localhost:\d+/there$}, 'an absolute address is made of the Host';
is((split /\|/, $w->get('/trusted', 'X-Forwarded-For' => '6.6.6.6, 192.0.2.7, 127.0.0.1')->body)[3], '192.0.2.7', 'of a trusted proxy the rightmost that is not trusted');
done_testing;
