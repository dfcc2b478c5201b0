use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a stale kept connection never doubles a POST');
my $origin = $w->origin(sub ($c) {
    return $c->close if $c->served > 1;
    $c->reply(200, $c->number);
    return unless $c->request->target =~ /bye/;
    $c->half_close;
    $c->note('bye');
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server {
        location / { proxy_pass http://api; }
        location /streamed { proxy_pass http://api; proxy_request_buffering off; }
    }
END

my $client = $w->client;
my $post = sub ($target) { $client->send_request('POST', $target, body => 'order')->read_response };
is $client->get('/')->status, 200, 'a connection that is kept';
is $post->('/raced')->status, 502, 'closed as the POST went out: 502';
is scalar(grep { $_ eq 'POST /raced' } $origin->lines), 1, 'and the peer saw it once';

is $client->get('/bye')->status, 200, 'a kept connection whose end has come already';
$origin->wait_note('bye');
is $post->('/after')->status, 200, 'is not used for a POST';
is $post->('/streamed/x')->status, 502, 'streamed: the same';
is scalar(grep { m{POST /streamed} } $origin->lines), 1, 'seen once';

done_testing;
