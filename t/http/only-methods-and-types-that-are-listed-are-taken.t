# accept_methods, accept_content_types: 405 with Allow, 415, before anybody is asked; over HTTP/1.1 and HTTP/2; error pages, redirects, preflights.
use v5.36;
use lib 't/lib';
use Weir::Http2;
use Weir::Test;

my $w = Weir::Test->new('only methods and types that are listed are taken');
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->method) });
$w->allow_log(qr/access\./, qr/\[emerg\]/);
$w->conf(<<"END", workers => 1);
    log_format s '\$uri \$status \$weir_cause';
    access_log logs/s.log s;
    server {
        http2 on;
        accept_methods GET POST PURGE;
        location / { proxy_pass http://$origin; }
        location /all { accept_methods all; proxy_pass http://$origin; }
        location /post { accept_methods POST; error_page 405 /sorry; proxy_pass http://$origin; }
        location /sorry { accept_methods POST; return 200 "sorry"; }
        location /hidden { accept_methods GET; proxy_pass http://$origin; }
        location /tries { accept_methods GET POST; try_files /nothing /hidden; }
        location /named { accept_methods GET POST; error_page 404 = \@other; proxy_intercept_errors on; return 404; }
        location \@other { accept_methods GET; proxy_pass http://$origin; }
        location /cors { accept_methods PUT; cors { allow_origin https://a.example; allow_methods PUT; } proxy_pass http://$origin; }
        location /guarded { accept_methods GET; deny all; }
        location /dry { accept_methods GET; accept_content_types text/plain; dry_run on; proxy_pass http://$origin; }
        location /types { accept_content_types application/json multipart/form-data image/* +xml; proxy_pass http://$origin; }
    }
END

sub said ($r) { $r->status . ' ' . ($r->header('Allow') // '-') }
is said($w->request($_, '/')), '200 -', $_ for qw(GET HEAD PURGE);
is said($w->request('POST', '/', body => 'x')), '200 -', 'POST';
is said($w->request('DELETE', '/')), '405 GET, POST, PURGE, HEAD', 'another is refused, and told what is not';
is said($w->request('get', '/')), '405 GET, POST, PURGE, HEAD', 'a name is that name only';
is said($w->request('OPTIONS', '/')), '405 GET, POST, PURGE, HEAD', 'OPTIONS';
$w->wait_for_access(qr{^/ 405 access\.method$}m, 's.log');
is said($w->request('DELETE', '/all')), '200 -', 'all';
my $r = $w->get('/post');
is $r->status . ' ' . $r->body, '405 sorry', 'the page of an error is given, whatever the place lists';
is $r->header('Allow'), 'POST', 'with what the other place takes';
is said($w->request('POST', '/tries', body => '')), '405 GET, HEAD', 'a redirect inside goes round nothing';
is said($w->request('POST', '/named', body => '')), '405 GET, HEAD', 'nor does a page with a name';
is $w->request('OPTIONS', '/cors', headers => [ Origin => 'https://a.example', 'Access-Control-Request-Method' => 'PUT' ])->status, 204, 'a preflight is answered';
is said($w->request('POST', '/guarded', body => '')), '405 GET, HEAD', 'it comes before the guards';
is $w->get('/guarded')->status, 403, 'which are there';
is $w->request('POST', '/dry', body => 'x', headers => [ 'Content-Type' => 'a/b' ])->status, 200, 'a rehearsal refuses nothing';
$w->wait_for_log(qr/accept_methods.*dry run.*cause: access\.method/);

sub type ($type, $body = 'x', @more) { $w->request('POST', '/types', (defined $body ? (body => $body) : ()), headers => [ (defined $type ? ('Content-Type' => $type) : ()), @more ])->status }
is type($_), 200, "taken: $_" for 'application/json', 'Application/JSON', 'application/json; charset=utf-8', 'application/json;', 'application/json ; a="b, c"', 'multipart/form-data; boundary=x',
    'image/png', 'application/soap+xml';
is type($_), 415, "refused: $_" for 'text/plain', 'application/jsonx', 'application/xml', '+xml', 'image', 'image/', 'application/json, text/plain', 'application/json; a=1; A=2', 'application/json; a',
    'application/json; a="b', 'application/json x', 'x application/json', 'application/json; a="\\""', '';
is type(undef), 415, 'a body without a type';
is type(undef, ''), 200, 'no body and no type';
is type('text/plain', ''), 415, 'no body, and another type';
is type('application/json', 'x', 'Content-Type', 'text/plain'), 415, 'two fields';
$w->wait_for_access(qr{^/types 415 access\.content_type$}m, 's.log');
my $raw = $w->client->send("POST /types HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")->read_response(method => 'POST');
is $raw->status, 415, 'a body of unknown length';
my $c = Weir::Http2::client($w);
is $c->ask(':method' => 'DELETE'), '405', 'HTTP/2';
is $c->head->{allow}, 'GET, POST, PURGE, HEAD', 'with Allow';
is $c->ask(':method' => 'POST', ':path' => '/types', 'content-type' => 'text/plain', body => 'x'), '415', 'and types';
is $c->ask(':method' => 'POST', ':path' => '/types', 'content-type' => 'image/gif', body => 'x'), '200', 'or not';
is $c->ask(':method' => 'POST', ':path' => '/types', body => 'x'), '415', 'a body that has neither a length nor a type';
is $c->ask(':path' => '/types'), '200', 'nor any body';
$c->close;

my (undef, $told) = $w->run('explain', '-c', $w->conf_file, 'DELETE http://localhost:' . $w->port . '/');
like $told, qr/405.*access\.method/, 'weir explain knows';
for ([ 'accept_methods G/T;', qr/expected the name of a method/ ], [ 'accept_methods GET GET;', qr/named twice/ ], [ 'accept_content_types json;', qr/expected a type/ ], [ 'accept_content_types */*;', qr/expected a type/ ],
    [ 'accept_content_types text/plain;charset=x;', qr/expected|unknown/ ]) {
    my ($code, $text) = $w->check_conf("server { location / { $_->[0] return 200; } }");
    like $text, $_->[1], $_->[0];
}
done_testing;
