# api NAME { version … }: drafts are hidden, deprecated versions say so, retired ones are gone; logs, statistics and tools name them.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w      = Weir::Test->new('a version of an api has a state')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok', 'Deprecation' => '@1', 'Sunset' => 'never') });
my $write  = sub ($name, $text) { $w->write_file("conf/$name", $text) };
my $doc    = encode_json({
    openapi    => '3.1.0', info => { title => 'Orders', version => '2.1' },
    paths      => { '/orders' => { get => { operationId => 'list' }, post => { operationId => 'make', requestBody => { '$ref' => '#/components/requestBodies/a~1b' } } } },
    components => { requestBodies => { 'a/b' => { content => {} } } },
});
$w->allow_log(qr/cause: api\.|\[emerg\]/);
my $apis = <<'END';
    api orders {
        title   "Orders of all shops";
        openapi orders.json;
        preview $http_x_tester = yes and $remote_addr in 127.0.0.0/8;
        version v0 state=retired since=2024-01-01 sunset=2025-01-01 link=https://docs.example.com/v0;
        version v1 state=deprecated since=2026-10-01 sunset=2027-04-01 link=https://docs.example.com/v1;
        version v2;
        version v3 state=draft;
    }
    api bills { version 1 state=published; }
END
$w->conf(<<"END");
    log_format who '\$uri|\$api|\$api_version|\$weir_cause';
    access_log logs/access.log who;
    add_header X-Cause \$weir_cause always;
    $apis
    server {
        api bills 1;
        route v0 { match path_prefix=/v0; api orders v0; proxy_pass http://$origin; }
        route v1 { match path_prefix=/v1; api orders v1; proxy_pass http://$origin; }
        route v2 { match path_prefix=/v2; api orders v2; proxy_pass http://$origin; }
        route v3 { match path_prefix=/v3; api orders v3; proxy_pass http://$origin; }
        location /v1x { api orders v1; deprecated since=2025-01-01; proxy_pass http://$origin; }
        location /v1d { api orders v0; dry_run on; proxy_pass http://$origin; }
        location /off { api off; proxy_pass http://$origin; }
        location /doc { api_document orders v2; }
        location /status { api off; status; }
        location /metrics { api off; prometheus; }
        location / { proxy_pass http://$origin; }
    }
END
$write->('orders.json', $doc);
$w->start;
my $say = sub ($path, @fields) { my $a = $w->get($path, @fields); join '|', $a->status, map { $a->header($_) // '-' } qw(X-Cause Deprecation Sunset Link) };

is $say->('/v2'), '200|-|@1|never|-', 'a published version is served, and what the peer says of it goes on';
is $say->('/v1'), '200|-|@1790812800|Thu, 01 Apr 2027 00:00:00 GMT|<https://docs.example.com/v1>; rel="deprecation"', 'a deprecated one says so, in the place of the peer';
is $say->('/v1x'), '200|-|@1735689600|Thu, 01 Apr 2027 00:00:00 GMT|<https://docs.example.com/v1>; rel="deprecation"', 'a place of it may say when';
is $say->('/v0'), '410|api.retired|@1704067200|Wed, 01 Jan 2025 00:00:00 GMT|<https://docs.example.com/v0>; rel="deprecation"', 'a retired one is gone, and says where to read';
is $say->('/v3'), '404|api.draft|-|-|-', 'a draft is not there';
is $say->('/v3', 'X-Tester' => 'no'), '404|api.draft|-|-|-', 'where the preview does not hold';
is $say->('/v3', 'X-Tester' => 'yes'), '200|-|@1|never|-', 'and is where it does';
is $say->('/v1d') =~ s/\|.*//r, '200', 'in a rehearsal a retired version is served';
$w->wait_for_log(qr/dry run.*cause: api\.retired/);
is $say->('/x'), '200|-|@1|never|-', 'a place has the version of its server';

my $answer = $w->get('/doc');
is $answer->status, 200, 'the document is served';
is $answer->header('Content-Type'), 'application/openapi+json', 'with its type';
is_deeply decode_json($answer->body), decode_json($doc), 'as it is';
is $w->get('/doc', 'If-None-Match' => $answer->header('ETag'))->status, 304, 'not again to whom has it';
is $w->request('POST', '/doc')->status, 405, 'only to who looks';

$w->get('/off');
$w->wait_for_access($_) for qr{^/v2\|orders\|v2\|-$}m, qr{^/v0\|orders\|v0\|api\.retired$}m, qr{^/x\|bills\|1\|-$}m, qr{^/off\|-\|-\|-$}m;

my ($code, $said) = $w->tool('consumer', 'calls', 'orders/v1', '--json');
is_deeply [ map { [ $_->@{qw(place api version calls)} ] } decode_json($said)->{calls}->@* ], [ [ '/v1x', 'orders', 'v1', 1 ], [ 'v1', 'orders', 'v1', 1 ] ],
    'calls of a deprecated version are counted once each';
my $zones = decode_json($w->get('/status')->body)->{api_versions};
is_deeply [ map { "$_=$zones->{$_}{requests}" } sort keys %$zones ], [ 'bills/1=4', 'orders/v0=2', 'orders/v1=2', 'orders/v2=1', 'orders/v3=3' ], 'statistics by version';
is $zones->{'orders/v3'}{causes}{'api.draft'}, 2, 'with their causes';
like $w->get('/metrics')->body, qr/^weir_api_requests_total\{api="orders",version="v1"\} 2$/m, 'for prometheus, too';

for my $live ([], ['--live']) {
    ($code, $said) = $w->tool('apis', @$live, '--json');
    is $code, 0, "weir apis @$live";
    my ($orders, $bills) = decode_json($said)->{apis}->@*;
    is $orders->{title}, 'Orders of all shops', 'its title';
    is_deeply [ map { "$_->{version} $_->{state}" } $orders->{versions}->@* ], [ 'v0 retired', 'v1 deprecated', 'v2 published', 'v3 draft' ], 'its versions and their states';
    is $orders->{versions}[1]{sunset}, '2027-04-01T00:00:00Z', 'their dates';
    is $orders->{versions}[2]{document}{operations}, 2, 'the operations of the document';
    is_deeply [ map { "$_->{kind} $_->{name}" } $orders->{versions}[1]{places}->@* ], [ 'route v1', 'location /v1x' ], 'what belongs to one';
    is_deeply [ map { $_->{kind} } $bills->{versions}[0]{places}->@* ], [ 'server', 'location', 'location' ], 'what a server says holds for its locations';
}
like +($w->tool('apis', 'orders'))[1], qr/^orders  "Orders of all shops".*^  v1 +deprecated +since 2026-10-01T00:00:00Z.*^    route +v1 of server/ms, 'for people';
is +($w->tool('apis', 'nothing'))[0], 1, 'one that is not there is no success';
like +($w->tool('explain', 'GET http://localhost:' . $w->port . '/v0/x'))[1], qr/410.*api\.retired/s, 'explain says that a version is retired';
like +($w->tool('explain', 'GET http://localhost:' . $w->port . '/v1/x'))[1], qr/api orders v1/, 'and which version a place belongs to';

for my $case ([ 'api a { }', qr/api "a" has no version/ ], [ 'api a { version 1; version 1; }', qr/duplicate version "1" of api "a"/ ],
    [ 'api a { version 1; } api a { version 1; }', qr/duplicate api "a"/ ], [ 'api a/b { version 1; }', qr/a name of up to 24/ ],
    [ 'api a { version 1 state=old; }', qr/state=draft/ ], [ 'api a { version 1 state=deprecated; }', qr/needs since=DATE/ ],
    [ 'api a { version 1 sunset=2026-01-01; }', qr/are of versions with state=deprecated/ ], [ 'api a { version 1 state=draft state=draft; }', qr/"state=" stands twice/ ],
    [ 'api a { version 1 state=retired since=2026-02-01 sunset=2026-01-01; }', qr/sunset comes before/ ],
    [ 'api a { versoin 1; }', qr/did you mean "version"/ ], [ 'api a { version 1; plans; }', qr/needs the name of a plan/ ],
    [ 'api a { version 1; preview $nothing = 1; }', qr/unknown/ ], [ 'api a { version 1; openapi none.json; }', qr/none\.json/ ],
    [ 'server { api a 1; }', qr/there is no api "a"/ ], [ 'api a { version 1; } server { api a 2; }', qr/api "a" has no version "2"/ ],
    [ 'server { api a; }', qr/takes the name of an API and one of its versions/ ], [ 'api a { version 1; } server { location / { api_document a 1; } }', qr/has no "openapi"/ ],
    [ 'api a { version 1 { } }', qr/unexpected "\{"/ ]) {
    my ($text, $why) = @$case;
    ($code, $said) = $w->check_conf($text);
    isnt $code, 0, "refused: $text";
    like $said, $why, '… and told';
}
for my $case ([ 'x', qr/is not JSON/ ], [ '{"swagger":"2.0"}', qr/not an OpenAPI document of 3.0 or 3.1/ ], [ '{"openapi":"3.1.0","paths":{}}', qr/no "info"/ ],
    [ '{"openapi":"3.0.3","info":{"title":"a","version":"1"}}', qr/no "paths"/ ],
    [ '{"openapi":"3.1.0","info":{"title":"a","version":"1"},"paths":{"x":{}}}', qr/a path must begin with "\/": "x"/ ],
    [ '{"openapi":"3.1.0","info":{"title":"a","version":"1"},"paths":{"/a":{"get":{"operationId":"i"}},"/b":{"put":{"operationId":"i"}}}}', qr/operationId "i"/ ],
    [ '{"openapi":"3.1.0","info":{"title":"a","version":"1"},"paths":{"/a":{"$ref":"#/components/none"}}}', qr/nothing is at "#\/components\/none"/ ]) {
    my ($text, $why) = @$case;
    $write->('bad.json', $text);
    ($code, $said) = $w->check_conf('api a { version 1 openapi=bad.json; }');
    isnt $code, 0, "refused: $text";
    like $said, $why, '… and told';
}
$write->('bad.json', '{"openapi":"3.1.0","info":{"title":"a","version":"1"},"webhooks":{},"x-a":{"$ref":"#/no"},"components":{"schemas":{"s":{"example":{"$ref":"#/no"}}}}}');
is +($w->check_conf('api a { version 1 openapi=bad.json; }'))[0], 0, 'references in examples and extensions are data';
done_testing;
