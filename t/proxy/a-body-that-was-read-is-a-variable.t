# $request_body: of a body that was read, whoever gets it: in memory or in a file, passed on or not, within proxy_set_body, streamed but here at once, in a
# subrequest, behind an error page, and in the log.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a body that was read is a variable');
my $echo = $w->echo_origin;
my $dead = $w->refused_peer;
my $copy = $w->origin(sub ($c) { $c->note($c->request->header('X-Body') // '-'); $c->reply(200, '') });
$w->allow_log(qr/upstream\.connect\.refused/);
$w->conf(<<"END", workers => 1);
    log_format b '\$uri \$request_body';
    access_log logs/b.log b;
    server {
        client_body_buffer_size 8k;
        proxy_set_header X-Body \$request_body;
        location /memory { proxy_pass http://$echo; }
        location /file { client_body_in_file_only clean; proxy_pass http://$echo; }
        location /off { proxy_pass_request_body off; proxy_pass http://$echo; }
        location /set { proxy_set_body "<\${request_body}>"; proxy_pass http://$echo; }
        location /streamed { proxy_request_buffering off; proxy_pass http://$echo; }
        location /streamedset { proxy_request_buffering off; proxy_set_body "<\${request_body}>"; proxy_pass http://$echo; }
        location /mirrored { mirror /copy; proxy_pass http://$echo; }
        location = /copy { proxy_pass http://$copy; }
        location /asked { auth_request /ask; proxy_pass http://$echo; }
        location = /ask { proxy_pass_request_body off; proxy_pass http://$copy; }
        location /dead { error_page 502 = /page; proxy_pass http://$dead; }
        location = /page { proxy_pass http://$echo; }
        location /nobody { return 204; }
    }
END

my $ask = sub ($path, $body = 'hello', %arg) {
    my $seen = $w->seen($w->request('POST', $path, body => $body, %arg));
    return ($seen->body, $seen->header('X-Body') // '-');
};
is_deeply [ $ask->('/memory') ], [ 'hello', 'hello' ], 'in memory';
is_deeply [ $ask->('/memory', 'a' x 9000) ], [ 'a' x 9000, '-' ], 'in a file: none';
is_deeply [ $ask->('/file') ], [ 'hello', '-' ], 'client_body_in_file_only: none';
is_deeply [ $ask->('/off') ], [ '', 'hello' ], 'proxy_pass_request_body off: it is read all the same';
is_deeply [ $ask->('/set') ], [ '<hello>', 'hello' ], 'within proxy_set_body';
is_deeply [ $ask->('/streamedset') ], [ '<>', '-' ], '… not without proxy_request_buffering: it is not read there';
is_deeply [ $ask->('/mirrored') ], [ 'hello', 'hello' ], 'with a mirror';
is_deeply [ $ask->('/dead') ], [ '', 'hello' ], 'behind an error page, which is a GET without a body';
$copy->wait_note('hello');                         # a mirror's copy is sent while the answer already goes to the client
is_deeply [ $copy->notes ], ['hello'], 'the mirror had it';
$ask->('/asked');
is_deeply [ $copy->notes ], [ 'hello', '-' ], 'auth_request asks before it is read';

my $request = "POST /streamed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n";
my $client  = $w->client;
my $seen    = $w->seen($client->send($request . 'hello')->read_response);
is $seen->header('X-Body'), 'hello', 'without proxy_request_buffering: the body came with its head';
is $seen->body, 'hello', '… and is passed on';
$echo->wait_requests(9);
$client->send($request . 'he');
$w->wait_until('the peer has the head', sub { $echo->received =~ /\r\n\r\nhe\z/ });
$seen = $w->seen($client->send('llo')->read_response);
is $seen->header('X-Body'), undef, 'a body that comes later is not waited for';
is $seen->body, 'hello', '… and is passed on whole';
is $w->request('POST', '/nobody', body => 'hello')->status, 204, 'nobody reads it';
$w->wait_for_access(qr{^/nobody -\n}m, 'b.log');
like $w->access_log('b.log'), qr{^$_\n}m, "logged: $_" for '/memory hello', '/memory -', '/file -', '/off hello', '/set hello', '/mirrored hello', '/page hello', '/streamed hello';

done_testing;
