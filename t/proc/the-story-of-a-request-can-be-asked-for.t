# The recorder: `weir why ID` tells one request's story, `weir tail` follows them as they end.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('the story of a request can be asked for')->needs_weir;
my $origin = $w->origin(sub ($c) { my ($status) = $c->request->target =~ /(\d+)$/; $c->reply($status // 200, 'ok') });
my $dead   = $w->refused_peer;
my $tool   = sub (@words) { $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', @words) };
my $text   = <<"END";
    limit_req_zone \$arg_k zone=rate:1m rate=1r/m;
    limit_conn_zone \$arg_k zone=conn:1m;
    upstream two { server $dead max_fails=0 weight=100; server $origin; }
    add_header_not_there off;
    server {
        server_name shop.example.org;
        location / { proxy_pass http://two; proxy_set_header X-Id \$request_id; }
        location /limited { require \$request_method; limit_req zone=rate; limit_conn conn 2; proxy_pass http://$origin; proxy_set_header X-Id \$request_id; }
        location /id { return 404 \$request_id; }
    }
END
$text =~ s/^\s*add_header_not_there.*\n//m;
$w->conf($text, workers => 2, main => 'recorder_requests 16;');
$w->start;
my $id_of = sub { ($origin->received =~ /X-Id: ([0-9a-f]{32})/g)[-1] };

my $id = $w->get('/id', Host => 'x') && ($w->get('/id')->body =~ /([0-9a-f]{32})/)[0];
my ($code, $said) = $tool->('why', $id);
is $code, 0, 'a request that was answered here' or diag $said;
like $said, qr/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  worker \d+, connection \d+ of 127\.0\.0\.1$/m, 'when, where, whose';
like $said, qr/^  asked    GET \/id HTTP\/1\.1$/m, 'what';
like $said, qr/^  went to  server "shop\.example\.org", location "\/id"$/m, 'where it went';
like $said, qr/^  answered 404, cause route\.return: /m, 'what the answer was and why';
like $said, qr/^  took     \d+\.\d{3} ms, \d+ bytes in, \d+ out$/m, 'and what it cost';

$w->get('/200', 'X-Forwarded-For' => 'x');
($code, $said) = $tool->('why', $id_of->());
like $said, qr/^  upstream \Q$dead\E: 502, cause upstream\.connect\.refused, over after \d+ ms\n  upstream \Q$origin\E: 200, connected in \d+ ms, head after \d+ ms, over after \d+ ms$/m,
    'each attempt with its times';
$w->get('/limited/200?k=a');
($code, $said) = $tool->('why', $id_of->());
like $said, qr/^  judged   limit_req rate PASSED\n  judged   limit_conn conn PASSED\n  judged   require \$request_met PASSED$/m, 'what policies said';

is +($tool->('why', '0' x 32))[0], 1, 'one that is not there';
is +($tool->('why', 'nonsense'))[0], 1, 'what is no id';
like +($tool->('why'))[1], qr/wants the id of a request/, 'which is told';

# Following.
my $follow = sub (@filters) {
    my $file = $w->dir . '/background.' . (($w->{backgrounds} // 0) + 1);
    my $end  = $w->background($w->bin, '-p', $w->dir . '/', '-c', 'conf/weir.conf', '-e', 'logs/tool.log', 'tail', @filters);
    return ($file, $end);
};
my ($all)   = $follow->();
my ($some)  = $follow->('status=5xx', 'path=/limited', 'cause=limit.');
my $n = 0;
$w->wait_until('both follow', sub { $w->get('/limited/200?k=b' . $n++ . 'z'); $w->get('/limited/200?k=a'); Weir::Server::slurp($all) =~ /k=a/ && Weir::Server::slurp($some) =~ /k=a/ });
like Weir::Server::slurp($all), qr/^\d{4}-\S+ \S+ 200 \d+\.\d{3}ms 127\.0\.0\.1 localhost "GET \/limited\/200\?k=b\d+z HTTP\/1\.1" upstream=\Q$origin\E id=[0-9a-f]{32}$/m, 'a line for each';
like Weir::Server::slurp($some), qr/^\S+ \S+ 503 .* "GET \/limited\/200\?k=a HTTP\/1\.1" cause=limit\.rate/m, 'or for those that pass the filters';
unlike Weir::Server::slurp($some), qr/ 200 /, 'others are not shown';
$w->client->send("GET /id?\x1b]0;title\x07 HTTP/1.1\r\nHost: localhost\r\n\r\n");
$w->get("/id?%1b");
$w->wait_until('it is told', sub { Weir::Server::slurp($all) =~ /id\?%1b/ });
unlike Weir::Server::slurp($all), qr/[\x00-\x09\x0b-\x1f\x7f-\xff]/, 'no byte of a client commands the terminal';
like +($tool->('tail', 'colour=red'))[1], qr/is no filter/, 'what is no filter is told';

# The ring holds the last ones only.
$w->get('/id') for 1 .. 50;
is +($tool->('why', $id))[0], 1, 'an old one is forgotten';
like +($tool->('zones'))[1], qr/^stories\s+-\s+\d+\s+told=\d+ kept=16 a worker$/m, 'as the zone tells';

done_testing;
