# RFC 9110 §7.8: what follows a 101 is of the new protocol.  A body of the client that proxy_set_body, proxy_pass_request_body off or error_page keeps
# from the peer would come out of the tunnel: such a request is passed on without its Upgrade.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a body that is not for the peer is no part of a tunnel')->needs_weir;
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join ' ', $r->header('Upgrade') // 'none', length($r->body // '') ? $r->body : '-') });
my $pass   = "proxy_http_version 1.1; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection \$http_connection; proxy_pass http://$origin";
$w->allow_log(qr/cause: route\.return/);
$w->conf(<<"END", workers => 1);
    server {
        location /set { proxy_set_body mine; $pass; }
        location /off { proxy_pass_request_body off; $pass; }
        location /page { error_page 403 = /off; return 403; }
        location /body { $pass; }
    }
END
for my $case ([ '/set', 'none mine' ], [ '/off', 'none -' ], [ '/page', 'none -' ], [ '/body', 'tcp hello' ]) {
    my ($path, $want) = @$case;
    for my $body ("Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n") {
        my $answer = $w->client->send("POST $path HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: tcp\r\n$body")->read_response;
        is $answer->body, $want, "$path: " . ($body =~ /chunked/ ? 'chunks' : 'a length');
    }
}
for my $case ([ '/set', 'tcp mine' ], [ '/off', 'tcp -' ]) {
    is $w->client->send("GET $case->[0] HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n")->read_response->body, $case->[1],
        "$case->[0]: without a body it is an upgrade";
}
done_testing;
