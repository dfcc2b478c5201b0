# json_body: nobody gets a body that is not JSON, says that it is something else, or is beyond a limit.
use v5.36;
use lib 't/lib';
use Compress::Zlib ();
use Weir::Test;

my $w    = Weir::Test->new('a body that must be JSON is refused when it is not');
my $echo = $w->echo_origin;
my $copy = $w->origin(sub ($c) { $c->note($c->request->body); $c->reply(200, '') });
$w->allow_log(qr/\[emerg\]/);
$w->conf(<<"END");
    client_body_buffer_size 1k;
    client_max_body_size 1m;
    json_body on;
    json_max_size 4k;
    json_max_depth 3;
    json_max_values 20;
    add_header X-Cause \$weir_cause always;
    server {
        location / { mirror /copy; proxy_pass http://$echo; }
        location = /copy { internal; proxy_pass http://$copy; }
        location /off { json_body off; proxy_pass http://$echo; }
        location /streamed { proxy_request_buffering off; proxy_pass http://$echo; }
        location /own { return 204; }
    }
END
my $ask = sub ($body, %arg) {
    my $answer = $w->request($arg{method} // 'POST', $arg{path} // '/', body => $body,
        headers => [ 'Content-Type', $arg{type} // 'application/json', @{ $arg{headers} // [] } ]);
    return $answer->status == 200 ? $w->seen($answer)->body : join ' ', $answer->status, $answer->header('X-Cause') // '-';
};
my $is = sub ($body, $expected, $name, %arg) { is $ask->($body, %arg), $expected, $name };
my $good = '{"a": [1, "x\u00e9", null]}';

$is->($good, $good, 'JSON is passed on as it came');
$is->($good, $good, "… of the type $_", type => $_)
    for 'application/problem+json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf-8"; v=1';
$is->($good, '415 body.type', "two types, or none: $_", type => $_) for 'text/plain, a/b+json', 'a/b+json, a/b+json', '/b+json', 'b+json', 'a/+json', 'a/b c+json';
$is->($good, '415 body.type', 'two fields', type => 'text/plain', headers => [ 'Content-Type', 'a/b+json' ]);
$is->($good, '415 body.type', "another type: $_", type => $_)
    for 'text/plain', 'application/jsonx', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', '';
$is->($_, '400 body.json', "not JSON: $_")
    for '{', '[1,]', "{'a':1}", '{"a":1}{}', 'nothing', "\"\x80\"", '{"a":1,"a":2}', '[1] x', "[1]\0";
$is->('', '400 body.json', "$_ without a body", method => $_) for qw(POST PUT PATCH);
is $w->get('/')->status, 200, 'GET needs none';
$is->('{', '400 body.json', '… but when it has one it must be JSON', method => 'GET');
$is->('[[[1]]]', '[[[1]]]', 'as deep as the limit');
$is->('[[[[1]]]]', '413 body.limit', 'deeper');
$is->('[' . join(',', 1 .. 19) . ']', '[' . join(',', 1 .. 19) . ']', 'as many values as the limit');
$is->('[' . join(',', 1 .. 20) . ']', '413 body.limit', 'more');
my $long = '"' . 'x' x 4094 . '"';
$is->($long, $long, 'as large as the limit, in a file');
$is->("$long ", '413 body.limit', 'larger');
$is->($good, $good, 'what is streamed is read before', path => '/streamed');
$is->('{', '400 body.json', '… and refused', path => '/streamed');
$is->('{', '{', 'json_body off', path => '/off');

my $chunked = $w->client->send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    . "2000\r\n" . ' ' x 8192 . "\r\n0\r\n\r\n")->read_response;
is $chunked->status, 413, 'a body without a length that is larger than the limit';

my $gzip = sub ($text) { Compress::Zlib::memGzip($text) };
$is->($gzip->($good), $gzip->($good), 'gzip is judged decoded, and goes on as it came', headers => [ 'Content-Encoding', 'gzip' ]);
$is->(Compress::Zlib::compress($good), Compress::Zlib::compress($good), 'so is deflate', headers => [ 'Content-Encoding', 'deflate' ]);
$is->($gzip->('{'), '400 body.json', 'what is in it is not JSON', headers => [ 'Content-Encoding', 'gzip' ]);
$is->($gzip->('"' . 'x' x 100_000 . '"'), '413 body.limit', 'a small body that becomes a large one', headers => [ 'Content-Encoding', 'gzip' ]);
$is->(substr($gzip->($good), 0, -3), '400 body.json', 'one that is cut', headers => [ 'Content-Encoding', 'gzip' ]);
$is->($gzip->($good) . $gzip->('{}'), '400 body.json', 'two streams', headers => [ 'Content-Encoding', 'gzip' ]);
$is->($gzip->($good), '400 body.json', 'gzip that says it is deflate', headers => [ 'Content-Encoding', 'deflate' ]);
$is->(Compress::Zlib::compress($good), '400 body.json', '… and the other way round', headers => [ 'Content-Encoding', 'gzip' ]);
$is->($good, '415 body.encoding', "Content-Encoding: $_", headers => [ 'Content-Encoding', $_ ]) for 'br', 'gzip, gzip', 'identity, gzip';

$copy->wait_note($long);
is scalar(grep { $_ eq '{' } $copy->notes), 0, 'no mirror had what was refused';

for my $bad ([ 'json_max_depth 65;', qr/json_max_depth/ ], [ 'json_max_size 0;', qr/json_max_size/ ], [ 'json_body maybe;', qr/"json_body"/ ]) {
    my ($code, $said) = $w->check_conf($bad->[0]);
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], '… and told';
}
done_testing;
