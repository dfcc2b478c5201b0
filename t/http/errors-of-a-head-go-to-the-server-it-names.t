# What is wrong with a request's head is answered by error_page of the server that Host names, when it could be read; with HTTP/2, too. reason_phrases nginx.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Http2;

my $w = Weir::Test->new('errors of a head go to the server it names')->needs_weir;
$w->allow_log(qr/cause: client\./);
my $pages = join ' ', map { "error_page $_ \@page;" } 400, 414, 494, 501, 505;
$w->conf(<<"END", workers => 1);
    http2 on;
    client_header_buffer_size 1k;
    large_client_header_buffers 2 1k;
    server { server_name first; error_page 400 414 494 501 505 \@page; location \@page { return 200 "first \$host \$status \$request_uri"; } }
    server { server_name second; error_page 400 414 431 501 505 \@page; location \@page { return 200 "second \$host \$status \$request_uri"; } }
    server { server_name third; reason_phrases nginx; location /405 { return 405; } location /302 { return 302 /x; } location /503 { return 503; } }
END
my $is = sub ($name, $head, $status, $body) {
    my $answer = $w->client->send($head)->read_response;
    is $answer->status . ' ' . $answer->body, "$status $body", $name;
};
$is->('a length that is none', "GET /x HTTP/1.1\r\nHost: second\r\nContent-Length: x\r\n\r\n", 400, 'second second 400 /x');
$is->('a coding that is unknown', "GET /x HTTP/1.1\r\nHost: second\r\nTransfer-Encoding: gzip\r\n\r\n", 501, 'second second 501 /x');
$is->('a path that is none', "GET /%zz HTTP/1.1\r\nHost: second\r\n\r\n", 400, 'second second 400 /%zz');
$is->('an absolute target', "GET http://second/%zz HTTP/1.1\r\nHost: first\r\n\r\n", 400, 'second second 400 /%zz');
$is->('a Host that is none', "GET /x HTTP/1.1\r\nHost: a b\r\n\r\n", 400, 'first first 400 /x');
$is->('no Host', "GET /x HTTP/1.1\r\n\r\n", 400, 'first first 400 /x');
$is->('a version', "GET /x HTTP/9.1\r\nHost: second\r\n\r\n", 505, 'first first 505 /x');
$is->('a line that is too long', 'GET /' . 'a' x 2000 . " HTTP/1.1\r\nHost: second\r\n\r\n", 414, 'first first 414 ');
$is->('a field that is too long', "GET / HTTP/1.1\r\nHost: second\r\nX: " . 'a' x 2000 . "\r\n\r\n", 431, 'first first 431 ');
for my $row ([ 'a path that is none', 400, 'second second 400 /%zz', ':path' => '/%zz' ],
    [ 'a path that is too long', 414, "second second 414 /" . 'a' x 1100, ':path' => '/' . 'a' x 1100 ])
{
    my ($name, $status, $body, @fields) = @$row;
    my $c = Weir::Http2::client($w);
    is $c->ask(':authority' => 'second', @fields), $status, "HTTP/2: $name";
    is $c->body, $body, '  its page';
    $c->close;
}
for my $row ([ '/405', 'HTTP/1.1 405 Not Allowed', '405 Not Allowed' ], [ '/302', 'HTTP/1.1 302 Moved Temporarily', '302 Found' ],
    [ '/503', 'HTTP/1.1 503 Service Temporarily Unavailable', '503 Service Temporarily Unavailable' ])
{
    my $answer = $w->client->send("GET $row->[0] HTTP/1.1\r\nHost: third\r\nConnection: close\r\n\r\n")->take_all;
    like $answer, qr/\A\Q$row->[1]\E\r\n.*<title>\Q$row->[2]\E</s, "reason_phrases nginx: $row->[0]";
}
done_testing;
