use v5.36;
use lib 't/lib';
use Weir::Test;

needs('nginx');

my $w     = Weir::Test->new('nginx behind is a backend');
my $nginx = $w->nginx(<<'END');
    client_max_body_size 20m;
    server {
        location / { return 200 "nginx $request_method $request_uri $http_host\n"; }
        location /files/ { root %%DIR%%; dav_methods PUT; create_full_put_path on; client_body_temp_path %%DIR%%/files-temp; }
        location /chunked/ { proxy_pass http://127.0.0.1:%%PORT%%/files/; proxy_http_version 1.1; proxy_buffering on; sub_filter x x; add_header X-Via nginx; }
        location /gone { return 410; }
        location /empty { return 204; }
    }
END
mkdir $nginx->dir . '/files';
chmod 0777, $nginx->dir . '/files';
$w->conf("client_max_body_size 20m; upstream n { server $nginx; keepalive 8; } server { location / { proxy_pass http://n; } }");

is $w->get('/a?b')->body, "nginx GET /a?b n\n", 'GET';
is $w->request('POST', '/a', body => 'x' x 10_000)->body, "nginx POST /a n\n", 'POST';
is $w->get('/gone')->status, 410, 'a status';
is $w->get('/empty')->status, 204, 'nothing';
my $data = join '', map { sprintf "%08d", $_ } 1 .. 500_000;
is $w->request('PUT', '/files/big', body => $data)->status, 201, 'PUT of 4 MB';
my $answer = $w->get('/files/big');
ok $answer->body eq $data, 'GET of it';
is $w->client->send_request('HEAD', '/files/big')->read_response(method => 'HEAD')->header('Content-Length'),
    length $data, 'HEAD of it';
is $w->get('/files/big', Range => 'bytes=8-15')->body, '00000002', 'a part of it';
is $w->get('/files/big', 'If-None-Match' => $answer->header('ETag'))->status, 304, 'not modified';
$answer = $w->get('/chunked/big');
ok $answer->body eq $data, 'through a second nginx that chunks';

my $client = $w->client;
is $client->get("/$_")->body, "nginx GET /$_ n\n", "kept: $_" for 1 .. 20;

done_testing;
