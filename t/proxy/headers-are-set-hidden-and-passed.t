use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('headers are set, hidden and passed');
my $origin = $w->origin(sub ($c) {
    $c->reply(200, join("\n", map { "$_->[0]: $_->[1]" } $c->request->{fields}->@*),
        'Server', 'origin/1', 'Date', 'Thu, 01 Jan 1970 00:00:01 GMT', 'X-Secret', 's', 'X-Other', 'o', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2',
        'X-Accel-Expires', '5', 'X-Pad', 'p', 'Cache-Control', 'private');
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 2; }
    proxy_set_header X-Level http;
    server {
        location /inherits { proxy_pass http://api; }
        location /sets {
            proxy_set_header X-Real-IP \$remote_addr;
            proxy_set_header X-Path "a \$uri b";
            proxy_set_header X-Gone "";
            proxy_set_header X-Client replaced;
            proxy_set_header Accept-Encoding "";
            proxy_pass http://api;
        }
        location /answers {
            proxy_hide_header x-secret;
            proxy_hide_header Cache-Control;
            proxy_pass_header Server;
            proxy_pass_header Date;
            proxy_pass http://api;
        }
        location /bare { proxy_pass_request_headers off; proxy_pass http://api; }
        location /body { proxy_pass_request_body off; proxy_pass http://api; }
        location /method { proxy_method PUT; proxy_pass http://api; }
    }
END

$w->allow_log(qr/framing of every message/);

my $client = $w->client;
my $to_peer = sub ($target, @headers) { $client->get($target, @headers)->body . "\n" };

my $text = $to_peer->('/inherits', 'X-Client' => 'c', 'x-gone' => 'g');
like $text, qr/^X-Level: http$/m, 'set above, inherited';
like $text, qr/^X-Client: c$/m, "the client's fields are passed on";

$text = $to_peer->('/sets', 'X-Client' => 'c', 'x-gone' => 'g', 'X-Real-IP' => '6.6.6.6', 'Accept-Encoding' => 'gzip', 'X-Twice' => 1, 'X-Twice' => 2);
like $text, qr/^X-Real-IP: 127\.0\.0\.1$/m, 'a variable';
unlike $text, qr/6\.6\.6\.6/, "instead of the client's own";
like $text, qr{^X-Path: a /sets b$}m, 'a template';
is_deeply [ $text =~ /^X-Client: (.*)$/mig ], ['replaced'], 'replaced, once';
unlike $text, qr/^X-Gone|^Accept-Encoding/mi, 'an empty value leaves the field out';
unlike $text, qr/^X-Level/m, 'one set here ends the inheritance';
is_deeply [ $text =~ /^X-Twice: (.*)$/mg ], [ 1, 2 ], 'two of one name, in order';

my $answer = $client->get('/inherits');
is $answer->header('X-Secret'), 's', 'fields of the answer are passed on';
is_deeply [ $answer->header('Set-Cookie') ], [ 'a=1', 'b=2' ], 'all of them';
like $answer->header('Server'), qr/^weir/, 'Server is ours';
isnt $answer->header('Date'), 'Thu, 01 Jan 1970 00:00:01 GMT', 'Date is ours';
is $answer->header($_), undef, "$_ is not for clients" for qw(X-Accel-Expires X-Pad);

$answer = $client->get('/answers');
is $answer->header($_), undef, "$_ is hidden" for qw(X-Secret Cache-Control);
is $answer->header('Server'), 'origin/1', 'Server is passed when told';
is $answer->header('Date'), 'Thu, 01 Jan 1970 00:00:01 GMT', 'Date too';
is $answer->header('X-Other'), 'o', 'others are not touched';

unlike $to_peer->('/bare', 'X-Client' => 'c'), qr/X-Client/, 'proxy_pass_request_headers off';
$client->send_request('POST', '/body', body => 'hello');
like $client->read_response->body, qr/^Content-Length: 0$/m, 'proxy_pass_request_body off';
$client->get('/method');
is +($origin->lines)[-1], 'PUT /method', 'proxy_method';

for my $name (qw(Content-Length Transfer-Encoding)) {
    my ($status, $said) = $w->check_conf("server { location / { proxy_set_header $name 5; proxy_pass http://$origin; } }");
    is $status, 0, "$name is accepted";
    like $said, qr/\[warn\] weir computes the framing of every message itself: "proxy_set_header" leaves "$name" as it is/, 'and has no effect, with a warning';
}

done_testing;
