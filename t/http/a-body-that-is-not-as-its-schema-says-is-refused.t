# json_schema: a schema in a file or an operation of OpenAPI says what a body must be; the log and $json_error say what is wrong with it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a body that is not as its schema says is refused');
my $echo = $w->echo_origin;
$w->allow_log(qr/\[emerg\]/);
$w->write_file('conf/order.json', <<'END');
{ "type": "object", "required": ["id"], "additionalProperties": false,
  "properties": { "id": { "type": "integer", "minimum": 1 }, "mail": { "format": "email" },
                  "lines": { "type": "array", "items": { "$ref": "#/$defs/line" } } },
  "$defs": { "line": { "required": ["n"], "properties": { "n": { "maximum": 9 } } } } }
END
$w->write_file('conf/api.json', <<'END');
{ "openapi": "3.0.3", "paths": {
    "/a~b/{id}": { "post": { "operationId": "make", "requestBody": { "content": {
        "text/plain": { "schema": {} },
        "application/json": { "schema": { "$ref": "#/components/schemas/thing" } } } } },
      "get": { "operationId": "look" } } },
  "components": { "schemas": { "thing": { "type": "object", "properties": { "name": { "type": "string", "nullable": true } } } } } }
END
$w->write_file('conf/broken.json', '{ "type": "text" }');
$w->write_file('conf/nojson.json', '{ "type": ');
$w->write_file('conf/costly.json', '{ "$defs": { "x": { "anyOf": [ { "type": "array", "items": { "$ref": "#/$defs/x" } },'
    . ' { "type": "array", "items": { "$ref": "#/$defs/x" } } ] } }, "$ref": "#/$defs/x" }');
my $conf = <<"END";
    add_header X-Cause \$weir_cause always;
    add_header X-What \$json_error always;
    json_schema order.json;
    server {
        location / { proxy_pass http://$echo; }
        location /error { json_schema order.json error=422; proxy_pass http://$echo; }
        location /format { json_schema order.json format; proxy_pass http://$echo; }
        location /dry { json_schema order.json dry_run; proxy_pass http://$echo; }
        location /off { json_schema off; proxy_pass http://$echo; }
        location /api { json_schema api.json operation=make; proxy_pass http://$echo; }
        location /costly { json_schema costly.json; json_max_depth 64; proxy_pass http://$echo; }
        location /page { error_page 400 = /told; proxy_pass http://$echo; }
        location = /told { internal; return 200 "\$json_error"; }
    }
END
$w->conf($conf);
my $ask = sub ($path, $body) {
    my $answer = $w->request('POST', $path, body => $body, headers => [ 'Content-Type', 'application/json' ]);
    return $answer->status == 200 ? $w->seen($answer)->body : join '|', $answer->status, map { $answer->header($_) // '-' } qw(X-Cause X-What);
};
my $dir = $w->dir . '/conf';
is $ask->('/', '{"id":1,"lines":[{"n":9}]}'), '{"id":1,"lines":[{"n":9}]}', 'a good one';
is $ask->('/', '{"id":0}'), '400|body.schema|"/id" is not as order.json#/properties/id/minimum says', 'a number that is too small';
is $ask->('/', '{"lines":[]}'), '400|body.schema|"" is not as order.json#/required says', 'a member that is missing';
is $ask->('/', '{"id":1,"lines":[{"n":1},{"n":10}]}'), '400|body.schema|"/lines/1/n" is not as order.json#/$defs/line/properties/n/maximum says', 'deep inside';
is $ask->('/', '{"id":1,"x":1}'), '400|body.schema|"/x" is not as order.json#/additionalProperties says', 'a member too many';
is $ask->('/', '{'), '400|body.json|The body must be JSON, and it is not, or there is none.', 'not JSON at all';
is $ask->('/error', '{"id":0}'), '422|body.schema|"/id" is not as order.json#/properties/id/minimum says', 'error=422';
is $ask->('/', '{"id":1,"mail":"x"}'), '{"id":1,"mail":"x"}', 'formats say nothing by themselves';
like $ask->('/format', '{"id":1,"mail":"x"}'), qr/^400\|body\.schema\|"\/mail"/, '… and something when they are asked for';
is $ask->('/dry', '{"id":0}'), '{"id":0}', 'dry_run lets it through';
$w->wait_for_log(qr/the body would be refused \(dry run\): "\/id" is not as/);
is $ask->('/dry', '{'), '{', '… whatever it is';
is $ask->('/off', '{'), '{', 'json_schema off';
is $ask->('/api', '{"name":null}'), '{"name":null}', 'an operation of OpenAPI 3.0: null is a good name';
is $ask->('/api', '{"name":1}'), '400|body.schema|"/name" is not as api.json#/components/schemas/thing/properties/name/type says', '… a number is not';
like $ask->('/costly', '[' x 40 . '1' . ']' x 40), qr/^400\|body\.schema\|.*\(too costly to tell\)/, 'what takes too long to tell is refused';
is $w->request('POST', '/page', body => '{"id":0}', headers => [ 'Content-Type', 'application/json' ])->body,
    '"/id" is not as order.json#/properties/id/minimum says', 'a page may tell what is wrong';

$w->write_file('conf/order.json', '{ "type": "string" }');
$w->reload($conf);
is $ask->('/', '"x"'), '"x"', 'a reload reads the schema anew';
like $ask->('/', '{"id":1}'), qr/^400\|body\.schema\|"" is not as order\.json#\/type/, '… and judges by it';

for my $bad ([ 'json_schema nowhere.json;', qr/nowhere\.json/ ], [ 'json_schema broken.json;', qr{broken\.json#/type must be the name of a type} ],
    [ 'json_schema nojson.json;', qr/"nojson\.json" is not JSON/ ], [ 'json_schema api.json operation=none;', qr/no operation of the file has the operationId "none"/ ],
    [ 'json_schema api.json operation=look;', qr/the operation "look" has no requestBody/ ], [ 'json_schema order.json operation=x;', qr/is not an OpenAPI 3 document/ ],
    [ 'json_schema order.json error=200;', qr/error=STATUS/ ], [ 'json_schema off dry_run;', qr/takes nothing more/ ])
{
    my ($code, $said) = $w->check_conf($bad->[0]);
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], '… and told';
}
done_testing;
