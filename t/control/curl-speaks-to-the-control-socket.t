# curl asks the control socket and changes what there is by it: resources with methods, statuses, problems as JSON.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w = Weir::Test->new('curl speaks to the control socket')->needs_weir;
my $a = $w->origin;
$w->conf("upstream api { server $a; } server { location / { proxy_pass http://api; } }", workers => 2);
is $w->get('/')->status, 200, 'it serves';

sub curl (@words) {
    my ($code, $said) = $w->command(20, 'curl', '-s', '-i', '--max-time', 15, '--unix-socket', $w->control_path, @words);
    is $code, 0, "curl @words" or diag $said;
    my ($head, $body) = split /\r\n\r\n/, $said =~ s{\AHTTP/1.1 100 Continue\r\n\r\n}{}r, 2;
    my ($status) = $head =~ m{^HTTP/1.1 (\d+)} or diag $said;
    return ($status, length($body // '') ? decode_json($body) : undef, $head);
}
my $v1 = 'http://weir/v1';

my ($status, $answer, $head) = curl($v1);
is $status, 200, 'there is a list of resources';
ok scalar(grep { $_->{path} eq '/v1/upstreams/{group}' && $_->{method} eq 'GET' } $answer->{resources}->@*), 'with what is there';
like $head, qr{^Content-Type: application/json\r?$}m, 'it is JSON';

($status, $answer) = curl("$v1/upstreams/api");
is $answer->{servers}[0]{server}, "$a", 'servers of a group are listed';
($status, $answer, $head) = curl('-d', '{"server":"127.0.0.9:80","weight":2,"down":true}', "$v1/upstreams/api/servers");
is $status, 201, 'one is added';
like $head, qr{^Location: /v1/upstreams/api/servers/127\.0\.0\.9%3A80\r?$}m, 'and has a place';
my ($place) = $head =~ m{^Location: (\S+)}m;
($status) = curl('-X', 'PATCH', '-d', '{"weight":3}', "http://weir$place");
is $status, 200, 'which can be changed';
($status, $answer) = curl("$v1/upstreams/api/servers");
is +(grep { $_->{server} eq '127.0.0.9:80' } $answer->{servers}->@*)[0]{weight}, 3, 'as it says';
($status, $answer) = curl('-X', 'POST', '-d', '{"server":"127.0.0.9:80"}', "$v1/upstreams/api/servers");
is $status, 409, 'what is there already is not added';
is $answer->{status}, 409, 'and the problem says so, too';
like $answer->{detail}, qr/already/, 'with words';
($status) = curl('-X', 'DELETE', "http://weir$place");
is $status, 200, 'it can be removed';
($status, $answer, $head) = curl('-X', 'DELETE', "http://weir$place");
is $status, 404, 'and is not there any more';
like $head, qr{^Content-Type: application/problem\+json\r?$}m, 'a problem has a type of its own';

for my $case (
    [ 404, [ "$v1/nothing" ], 'no such resource' ],
    [ 404, [ 'http://weir/' ], 'no such resource' ],
    [ 404, [ "$v1/upstreams/other" ], 'no upstream "other"' ],
    [ 405, [ '-X', 'DELETE', "$v1/upstreams" ], 'does not have that method' ],
    [ 405, [ '-X', 'BREW', "$v1/upstreams" ], 'does not have that method' ],
    [ 400, [ '-d', 'server=1', "$v1/upstreams/api/servers" ], 'to be JSON' ],
    [ 400, [ '-d', '[1]', "$v1/upstreams/api/servers" ], 'to be a JSON object' ],
    [ 400, [ '-d', '{"server":"a","server":"b"}', "$v1/upstreams/api/servers" ], 'two members of one name' ],
    [ 400, [ '-d', '{"do":"upstream.list"}', "$v1/upstreams/api/servers" ], '"do" is given twice' ],
    [ 400, [ '-d', '{"group":"x","server":"127.0.0.1:1"}', "$v1/upstreams/api/servers" ], '"group" is given twice' ],
    [ 400, [ '-X', 'POST', "$v1/upstreams/api/servers" ], 'wants a body' ],
    [ 400, [ '-X', 'GET', '-d', '{}', "$v1/upstreams" ], 'takes no body' ],
    [ 400, [ '-X', 'PATCH', '-d', '{"colour":"red"}', "$v1/upstreams/api/servers/$a" ], '"colour" is not for this' ],
    [ 400, [ "$v1/upstreams/%zz" ], 'cannot be read' ],
    [ 400, [ "$v1/upstreams?colour" ], '"colour" is not for this resource' ],
    [ 413, [ '-d', '[' x 200 . ']' x 200, "$v1/upstreams/api/servers" ], 'nests too deeply' ],
) {
    my ($expected, $words, $why) = @$case;
    my ($got, $problem) = curl(@$words);
    is $got, $expected, "$expected: $why";
    like $problem->{detail}, qr/\Q$why\E/, 'it says why';
}
($status, $answer, $head) = curl('-X', 'DELETE', "$v1/upstreams");
like $head, qr/^Allow: GET, HEAD\r?$/m, 'a method that is not there names those that are';
($status, $answer, $head) = curl('-I', $v1);
is "$status " . ($head =~ /^Content-Length: [1-9]/m), '200 1', 'HEAD tells how long it is';

my $large = $w->dir . '/large.json';
open my $out, '>', $large or die;
print $out '"', 'x' x (4 * 1024 * 1024), '"';
close $out;
($status, $answer) = curl('--data-binary', "\@$large", "$v1/upstreams/api/servers");
is $status, 413, 'a body of more than 4 MiB is refused';
open $out, '>', $large or die;
print $out '{"server":"', 'x' x (3 * 1024 * 1024), '"}';
close $out;
($status, $answer) = curl('-H', 'Expect: 100-continue', '--data-binary', "\@$large", "$v1/upstreams/api/servers");
is $status, 400, 'one of 3 MiB is looked at';
($status, $answer) = curl('-H', 'Transfer-Encoding: chunked', '-d', '{"server":"127.0.0.8:80","down":true}', "$v1/upstreams/api/servers");
is $status, 201, 'it may come in chunks';
is $w->get('/')->status, 200, 'it serves as before';
done_testing;
