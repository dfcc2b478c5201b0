# An API key that comes as an argument is a secret like any other: whatever is logged of the request has asterisks there, over HTTP/1.1 and HTTP/2;
# the upstream gets the target as it came.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Http2;

my $w      = Weir::Test->new('a key in the query is in no log')->needs_weir;
my $origin = $w->echo_origin;
my $dead   = $w->refused_peer;
$w->conf(<<"END", main => "store_path store;\n", workers => 2);
http {
    log_format all '\$request|\$request_uri|\$args|\$arg_key|\$query_string|\$arg_other|\$status';
    access_log logs/access.log all;
    limit_req_zone one zone=few:1m rate=1r/m;
    proxy_set_header X-Id \$request_id;
    server {
        http2 on;
        api_key \$http_x_api_key \$arg_key;
        api_key_strip off;
        location / { proxy_pass http://$origin; }
        location /dead { proxy_pass http://$dead; }
        location /limited { limit_req zone=few; proxy_pass http://$origin; }
        rewrite ^/server /rewritten?a=1;
        location /rewritten { rewrite ^ /again?b=2 break; proxy_pass http://$origin; }
        location /page { error_page 502 /dead; proxy_pass http://$dead; }
    }
}
END
is +($w->tool('consumer', 'add', 'acme'))[0], 0, 'a consumer';
my ($code, $said) = $w->tool('key', 'create', 'acme');
my ($key) = $said =~ /^(weir_\S+)$/m;
$w->start;
my $stars = '*' x length $key;

my $answer = $w->get("/a?x=1&key=$key&other=seen");
is $answer->status, 200, 'the key is good';
is $w->seen($answer)->target, "/a?x=1&key=$key&other=seen", 'the upstream gets what came';
my $logged = "/a?x=1&key=$stars&other=seen";
$w->wait_for_access(qr{^GET \Q$logged\E HTTP/1\.1\|\Q$logged\E\|x=1&key=\Q$stars\E&other=seen\|\Q$stars\E\|x=1&key=\Q$stars\E&other=seen\|seen\|200$}m);
is $w->get("/dead?key=$key")->status, 502, 'an error of the upstream';
$w->get("/limited?key=$key&n=$_") for 1, 2;
is $w->get("/page?key=$key")->status, 502, 'an error page';
is $w->get("/none?key=${key}x")->status, 401, 'one that is wrong by a letter';
is $w->client->get("http://localhost/abs?key=$key")->status, 200, 'an absolute target';
is $w->get("/last?other=z&key=")->status, 401, 'an empty one';
$answer = $w->get("/server?x=1&key=$key");
is $w->seen($answer)->target, "/again?b=2&a=1&x=1&key=$key", 'a rewritten one is sent on too';
$w->wait_for_access(qr{^GET /server\?x=1&key=\*+ HTTP/1\.1\|/server\?x=1&key=\*+\|b=2&a=1&x=1&key=\*+\|}m);
$w->wait_for_log(qr{request: "GET /dead\?key=\*+ HTTP/1\.1"});
$w->wait_for_log(qr{cause: limit\.rate});
$w->wait_for_access(qr{^GET http://localhost/abs\?key=\*+ HTTP}m);
$w->wait_for_access(qr{^GET /last\?other=z&key= HTTP}m);

my $h2 = Weir::Http2::client($w);
$h2->send(Weir::Http2::headers(1, 'END_STREAM END_HEADERS', Weir::Http2::request_fields(':path' => "/two?key=$key")));
like $h2->verdict(1, waits => 1), qr{^200}, 'over HTTP/2';
$w->wait_for_access(qr{^GET /two\?key=\*+ HTTP/2\.0\|/two\?key=\*+\|}m);
my $id = ($w->seen($w->get("/b?key=$key"))->header('X-Id') // '');
like +($w->tool('why', $id))[1], qr{^  asked    GET /b\?key=\*+ HTTP/1\.1$}m, 'the recorder keeps asterisks';
$h2->close;
$w->stop;
unlike $w->error_log,  qr/\Q$key\E/, 'it is not in the error log';
unlike $w->access_log, qr/\Q$key\E/, 'nor in the access log';

done_testing;
