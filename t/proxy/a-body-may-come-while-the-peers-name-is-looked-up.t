# proxy_request_buffering off: pieces of the body that come while the name in proxy_pass is being looked up wait for the peer.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Dns;

my $w = Weir::Test->new('a body may come while the name of the peer is looked up');
$w->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->body) });
my ($port) = "$origin" =~ /:(\d+)$/;
my $gate = $w->dir . '/gate';
my $dns = Weir::Dns->new($w, sub ($name, $type) { return $type eq 'A' && -e $gate ? '127.0.0.1' : 'silent' });
$w->conf(<<"END", workers => 1);
    resolver $dns ipv6=off;
    resolver_timeout 20s;
    server {
        location / { set \$where origin.test; proxy_pass http://\$where:$port; proxy_request_buffering off; }
        location /plain { empty_gif; }
    }
END
my $client = $w->client;
$client->send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
$w->wait_until('the name is asked for', sub { scalar $dns->questions });
$client->send('def');
is $w->get('/plain')->status, 200, 'the worker goes on';
$client->send('ghi');
is $w->get('/plain')->status, 200, 'and on';
$w->write_file('gate', 'open');
my $answer = $client->read_response;
is $answer->status, 200, 'the request is answered';
is $answer->body, 'abcdefghi', 'the peer got the whole body';
done_testing;
