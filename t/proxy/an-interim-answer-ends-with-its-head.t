# RFC 9112 §6.3: whatever fields it has.  What is the peer's or Weir's own business does not go on with it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an interim answer ends with its head')->needs_weir;
my $origin = $w->origin(sub ($c) {
    my %odd = (
        '/zero'   => 'Content-Length: 0',
        '/five'   => 'Content-Length: 5',
        '/two'    => "Content-Length: 5\r\nContent-Length: 6",
        '/coding' => 'Transfer-Encoding: chunked',
        '/both'   => "Transfer-Encoding: cow\r\nContent-Length: x",
        '/close'  => 'Connection: close',
        '/own'    => "X-Accel-Redirect: /x\r\nServer: s\r\nDate: d\r\nX-Hidden: 1\r\nUpgrade: cow\r\nX-Mine: 1",
    );
    $c->raw("HTTP/1.1 $_\r\n" . $odd{ $c->request->target } . "\r\n\r\n") for '100 Continue', '103 Early Hints';
    $c->reply(200, 'ok');
});
$w->conf("upstream api { server $origin; keepalive 4; } server { location / { proxy_hide_header X-Hidden; proxy_pass http://api; } }", workers => 1);

my $client = $w->client;
for my $path (qw(/zero /five /two /coding /both /close /own)) {
    my $answer = $client->get($path);
    is $answer->status, 200, "$path: the answer comes";
    is $answer->body, 'ok', "$path: whole";
    my ($hint, @more) = $answer->interim;
    is $hint->status, 103, "$path: behind the hint";
    is scalar(@more), 0, "$path: which is one";
    is $hint->header($_), undef, "$path: without $_" for qw(Content-Length Transfer-Encoding Connection X-Accel-Redirect Server Date X-Hidden Upgrade);
    is $hint->header('X-Mine'), 1, 'with what is the peer\'s to say' if $path eq '/own';
}
is $origin->connections, 1, 'the connection to the peer is kept';

done_testing;
