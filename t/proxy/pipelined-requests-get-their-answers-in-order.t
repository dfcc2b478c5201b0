use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('pipelined requests get their answers in order');
my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    select undef, undef, undef, 0.02 if $request->target =~ /slow/;
    $request->target =~ /chunked/ ? $c->reply_chunked(200, [ $request->target, $request->body ]) : $c->reply(200, $request->target . $request->body);
});
my $dead = $w->refused_peer;
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server {
        location / { proxy_pass http://api; }
        location /streamed { proxy_pass http://api; proxy_request_buffering off; }
        location /dead { proxy_pass http://$dead; }
        location /own { return 200 /own; }
    }
END

my @asks = (
    [ GET  => '/slow' ], [ GET => '/own' ], [ POST => '/a', 'body' ], [ GET => '/chunked' ], [ POST => '/streamed/b', 'x' x 5000 ], [ HEAD => '/head' ],
    [ GET => '/dead' ], [ GET => '/slow/2' ], [ POST => '/own', 'unread' ], [ POST => '/chunked/c', 'y' x 100_000 ], [ GET => '/last' ],
);
my $all = join '', map { Weir::Client::request_text($_->[0], $_->[1], body => $_->[2]) } @asks;
for my $way (qw(whole pieces)) {
    my $client = $w->client;
    my $sender = $w->child(sub {
        for my $piece ($way eq 'whole' ? $all : unpack '(a7001)*', $all) { $client->send($piece); select undef, undef, undef, 0.001 }
    });
    my @wrong;
    for my $ask (@asks) {
        my ($method, $target, $body) = @$ask;
        my $answer   = $client->read_response(method => $method);
        my $expected = $target eq '/dead' ? $answer->body : $method eq 'HEAD' ? '' : $target eq '/own' ? '/own' : $target . ($body // '');
        push @wrong, "$method $target: " . $answer->head if $answer->body ne $expected || $answer->status != ($target eq '/dead' ? 502 : 200);
    }
    is_deeply \@wrong, [], $way;
    ok $client->is_quiet, "$way: nothing is left";
    $sender->(5);
}

done_testing;
