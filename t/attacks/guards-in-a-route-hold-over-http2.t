# Guards that stand in routes, over HTTP/2: conditions on pseudo-headers and fields choose the route, its guards judge each stream, and no spelling of HTTP/2
# goes round them: other routes, coded bodies, bodies in pieces, resets.
use v5.36;
use lib 't/lib';
use Weir::Authz;
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('guards in a route hold over HTTP/2')->needs_weir;
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join ' ', $r->target, $r->header('X-User') // '-', length $r->body) });
my $authz  = Weir::Authz::scripted($w, sub ($h2, $s, $case, $message) {
    Weir::Authz::answer($s, $case eq 'yes' ? $Weir::Authz::ok . Weir::Authz::bytes(3, Weir::Authz::bytes(2, Weir::Authz::header('x-user', 'alice'))) : Weir::Authz::bytes(1, Weir::Authz::number(1, 7))) });
$w->write_file('conf/schema.json', '{"type":"object","required":["id"]}');
$w->allow_log(qr/auth\.|access\.|body\.|form\.|limit\./);
$w->conf(<<"END", workers => 1);
    limit_req_zone \$http_x_who zone=who:1m rate=1r/m;
    server {
        http2 on; default_deny on;
        route admin { match path_prefix=/admin; require \$http_x_role = admin; proxy_pass http://$origin; }
        route write { match path_prefix=/api method=POST|PUT; ext_authz grpc://$authz; json_schema schema.json; proxy_pass http://$origin; }
        route read { match path_prefix=/api method=GET; ext_authz grpc://$authz; proxy_pass http://$origin; }
        route beta { match path_prefix=/v header:x-beta=1; require \$http_x_role = admin; proxy_pass http://$origin; }
        route v { match path_prefix=/v; limit_req zone=who; allow all; proxy_pass http://$origin; }
        route form { match path=/form; accept_methods POST; form_body multipart; allow all; proxy_pass http://$origin; }
    }
END
my $c = Weir::Http2::client($w);
my @json = ('content-type' => 'application/json');
sub ask (%arg) { my $said = $c->ask(%arg); return "$said " . ($said eq '200' ? $c->body : '') }
is ask(':path' => '/admin'), '403 ', 'require in a route';
is ask(':path' => '/admin', 'x-role' => 'admin'), '200 /admin - 0', 'lets in who meets it';
is ask(':path' => $_), '403 ', "$_ is the same route" for '/%61dmin', '/x/../admin', '//admin', '/admin/./y';
is ask(':path' => '/nothing'), '403 ', 'what no route takes nobody has let in';
is ask(':path' => '/api/x', 'x-case' => 'yes'), '200 /api/x alice 0', 'ext_authz in a route';
is ask(':path' => '/api/x', 'x-case' => 'no', 'x-user' => 'root'), '403 ', 'refuses';
is ask(':path' => '/api/x', ':method' => 'POST', 'x-case' => 'yes', @json, body => '{"id":1}', 'x-user' => 'root'), '200 /api/x alice 8', 'the route of a method has its own guards';
is ask(':path' => '/api/x', ':method' => 'POST', 'x-case' => 'yes', @json, body => '{}'), '400 ', 'of which each must hold';
is ask(':path' => '/api/x', ':method' => 'POST', 'x-case' => 'no', @json, body => '{"id":1}'), '403 ', 'the first refuses before the second';
is ask(':path' => '/api/x', ':method' => 'PUT', 'x-case' => 'yes', @json), '400 ', 'a body that is not there';
is ask(':path' => '/api/x', ':method' => 'DELETE', 'x-case' => 'yes'), '403 ', 'a method without a route goes round nothing';
is ask(':path' => '/v', 'x-beta' => '1'), '403 ', 'a route by a field';
is ask(':path' => '/v', 'x-who' => 'a'), '200 /v - 0', 'the other without it';
is ask(':path' => '/v', 'x-who' => 'a'), '503 ', 'with a limit';
is ask(':path' => '/form', ':method' => 'GET'), '405 ', 'methods';
is ask(':path' => '/form', ':method' => 'POST', 'content-type' => 'multipart/form-data; boundary=b', body => "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../x\"\r\n\r\nx\r\n--b--"), '400 ', 'forms';

# A body byte by byte, with a HEADERS of trailers behind it; and streams that are reset while they are judged.
$c->write(headers(5001, 'END_HEADERS', Weir::Http2::request_fields(':method' => 'POST', ':path' => '/api/y', 'x-case' => 'yes', @json)));
$c->write(data(5001, $_)) for split //, '{"di":1}';
$c->write(headers(5001, 'END_HEADERS END_STREAM', 'x-role' => 'admin', 'id' => '1'));
is $c->verdict(5001, waits => 1), '400', 'a body in bytes, and trailers that are none of its fields';
my $asked = $origin->requests;
$c->{next_stream} = 6001;
for my $n (0 .. 19) {
    my $s = 5003 + 2 * $n;
    $c->write(headers($s, 'END_HEADERS' . ($n % 2 ? ' END_STREAM' : ''), Weir::Http2::request_fields(':method' => $n % 2 ? 'GET' : 'POST', ':path' => '/api/z', 'x-case' => 'no', @json)) . rst($s));
}
is ask(':path' => '/api/last', 'x-case' => 'yes'), '200 /api/last alice 0', 'the connection serves on';
is $origin->requests - $asked, 1, 'none of them came to the peer';
$c->close;
done_testing;
