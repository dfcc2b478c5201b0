# RFC 9110 §7.8: protocol = name ["/" version], a list of them, with any method, once the request is complete.  (kubectl: SPDY/3.1; docker: tcp.)
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('an upgrade may have a version, a body and any method');
my $peer = $w->peer(sub ($c) {
    while (my $request = $c->read_request) {
        my ($to) = $request->target =~ m{to=(.*)};
        $c->raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: $to\r\nX-Asked: " . ($request->header('Upgrade') // '-') . "\r\nX-Body: "
            . ($request->body // '') . "\r\n\r\n");
        while ($c->fill) { $c->raw(uc $c->take(length $c->buffered)) }
        return;
    }
});
$w->conf(<<"END");
    server {
        location / { proxy_http_version 1.1; proxy_pass http://$peer; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection \$http_connection; }
        location /at-once { proxy_request_buffering off; proxy_http_version 1.1; proxy_pass http://$peer; proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection \$http_connection; }
    }
END
$w->allow_log(qr/upstream\.|prematurely|sent/);

my $ask = sub ($method, $upgrade, $to, $more = "\r\n", $path = '/') {
    my $client = $w->client;
    my $answer = $client->send("$method $path?to=$to HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: $upgrade\r\n$more")->read_response_head;
    return ($answer, $client);
};

for my $case (
    [ 'SPDY with a version',           'POST', 'SPDY/3.1',       'SPDY/3.1', "Content-Length: 0\r\n\r\n" ],
    [ 'in another case',               'GET',  'spdy/3.1',       'SPDY/3.1' ],
    [ 'one of two',                    'GET',  'chat/2, SPDY/3.1', 'SPDY/3.1' ],
    [ 'a body',                        'POST', 'tcp',            'tcp',      "Content-Length: 5\r\n\r\nhello" ],
    [ 'a body in chunks',              'PUT',  'tcp',            'tcp',      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" ],
    [ 'an empty body in chunks',       'POST', 'tcp',            'tcp',      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" ],
    [ 'a body that is passed at once', 'POST', 'tcp',            'tcp',      "Content-Length: 5\r\n\r\nhello", '/at-once' ],
) {
    my ($what, $method, $upgrade, $to, @more) = @$case;
    my ($answer, $client) = $ask->($method, $upgrade, $to, @more);
    is $answer->status, 101, "$what: 101";
    is $answer->header('Upgrade'), $to, "$what: the peer's own word";
    is $answer->header('X-Asked'), $upgrade, "$what: the client's went there";
    is $answer->header('X-Body') // '', (join('', @more) =~ /hello/ ? 'hello' : ''), "$what: the body before it";
    is $client->send('more')->take(4), 'MORE', "$what: then a tunnel";
    $client->close;
}

is +($ask->('GET', 'SPDY/3.1', 'SPDY/4'))[0]->status, 502, 'a 101 to something else is none' unless $w->is_nginx;
is +($ask->('GET', 'a,b', 'a,c'))[0]->status, 502, 'nor one that names more than was asked for' unless $w->is_nginx;

done_testing;
