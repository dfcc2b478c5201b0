# Once a byte was sent, only a method that may be repeated is; what was never sent may go to any peer.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a POST is never sent twice');
my $bad  = $w->origin(sub ($c) {
    my $target = $c->request->target;
    return $c->reply(503, 'busy')      if $target =~ /503/;
    return $c->wait_for('end')         if $target =~ /silent/;
    $c->close;
});
my $dead = $w->refused_peer;
my $good = $w->origin(sub ($c) { $c->reply(200, $c->request->method . ' ' . $c->request->body) });
$w->conf(<<"END", workers => 1);
    upstream api   { server $bad max_fails=0; server $good backup; keepalive 0; }
    upstream first { server $dead max_fails=0; server $good backup; keepalive 0; }
    proxy_next_upstream error timeout http_503;
    proxy_read_timeout 150ms;
    server {
        location /          { proxy_pass http://api; }
        location /refused/  { proxy_pass http://first; }
        location /streamed/ { proxy_pass http://api; proxy_request_buffering off; client_body_buffer_size 4; }
        location /told/     { proxy_pass http://api; proxy_next_upstream error timeout http_503 non_idempotent; }
        location /told/streamed/ { proxy_pass http://api; proxy_next_upstream error non_idempotent; proxy_request_buffering off; client_body_buffer_size 4; }
    }
END

my $client = $w->client;
my $ask = sub ($method, $target) { $client->send_request($method, $target, body => 'order')->read_response };
for my $method (qw(POST PATCH LOCK MYOWN)) {
    is $ask->($method, '/closes')->status, 502, "$method: the peer closed";
}
is $ask->('POST', '/silent')->status, 504, 'POST: the peer is silent';
is $ask->('POST', '/503')->status, 503, 'POST: the peer says 503';
is $good->requests, 0, 'nobody else was asked';

is $ask->($_, '/closes')->body, "$_ order", "$_ may be repeated" for qw(GET PUT DELETE OPTIONS);
is $client->send_request('HEAD', '/closes')->read_response(method => 'HEAD')->status, 200, 'HEAD too';
is $ask->('POST', '/refused/x')->body, 'POST order', 'POST: the connection was refused, so nothing was sent';
is $ask->('POST', "/told/$_")->body, 'POST order', "non_idempotent: POST, $_" for qw(closes silent 503);

my $before = $good->requests;
$client = $w->client;
is $ask->('PUT', '/streamed/closes')->status, 502, 'a streamed body that was taken and is not kept cannot be sent again';
$client = $w->client;
is $ask->('POST', '/told/streamed/closes')->status, 502, 'not even when told';
is $good->requests, $before, 'and is not';
$w->pass('end');

done_testing;
