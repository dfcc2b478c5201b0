# What a peer puts behind its answer is its own affair: many of them, and several of one name.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('trailers of one name are all passed on');
my $origin = $w->origin(sub ($c) {
    my @trailers = ((map { ("X-$_", $_) } 1 .. 40), 'ETag', '"a"', 'ETag', '"b"', 'Server-Timing', 'x', 'Server-Timing', 'y', 'X-1', 'again');
    $c->reply_chunked(200, ['body'], trailers => \@trailers);
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server { location / { proxy_pass http://api; proxy_pass_trailers on; } }
END

for my $n (1 .. 3) {
    my $answer = $w->client->send_request('GET', '/', headers => [ 'TE', 'trailers', 'Connection', 'TE' ])->read_response;
    is $answer->body, 'body', "answer $n";
    is $answer->trailer('X-40'), 40, 'the last of many';
    like $answer->trailer('ETag'), qr/"[ab]"/, 'one that came twice';
}
unlike $w->error_log, qr/panic|exited on signal/, 'nothing broke';

done_testing;
