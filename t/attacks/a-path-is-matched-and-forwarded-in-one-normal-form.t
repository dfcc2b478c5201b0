# One decoding, and what a guard saw is what the upstream gets. Ambiguous encodings are refused.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('a path is matched and forwarded in one normal form',
    server => 'location /admin { return 403; } location /a/ { proxy_pass http://origin; proxy_set_header X-Match a; }');

my $get = sub ($path) { "GET $path HTTP/1.1\r\nHost: localhost\r\n\r\n" };

# These are /admin, and the guard says so.
for my $path ('/a/../admin', '/./admin', '/admin/.', '/%61dmin', '/a/%2e%2e/admin', '/a/%2E./admin', '/%2e/admin',
    '//admin', '///admin//', '/a/b/../../admin', '/admi%6e', '/a/..//admin', '/admin/../admin',
    '/admin?x', '/a//../admin')
{
    my $client  = $a->w->client;
    my $status  = $client->send($get->($path))->read_response->status;
    is $status, 403, "$path is guarded";
    $client->close;
}
# These have no single reading.
$a->refused("$_", $get->($_))
    for '/%2fadmin', '/a%2fb', '/a%2Fb', '/%5cadmin', '/a%5Cb', '/x/..%2fadmin', '/x%5c..', '/a\\..\\admin', '/admin%00', '/a%00/../admin',
        '/%u002f', '/%', '/a%g0', '/..', '/../admin', '/a/../../admin', '/%2e%2e/admin', '/..;/admin',
    '/a/..;x=1/admin', '/.;/admin', '/%c0%af', '/%c0%ae%c0%ae/admin', '/%e0%80%af', '/%f0%80%80%af', '/%c1%9c',
    '/a/%2e%2e%2fadmin';
# These are other names, and go on in canonical form.
my $target = sub ($want) { sub ($seen) { $seen->target eq $want ? () : 'target ' . $seen->target } };
$a->forwarded("$_->[0] goes on as $_->[1]", $get->($_->[0]), $target->($_->[1]))
    for [ '/%252e%252e/admin', '/%252e%252e/admin' ], [ '/%252fadmin', '/%252fadmin' ], [ '/x;y=1/', '/x;y=1/' ],
    [ '/x%20', '/x%20' ], [ '/x%09', '/x%09' ], [ '/x.', '/x.' ], [ '/...', '/...' ], [ '/.x', '/.x' ],
    [ '/x%a0', '/x%A0' ], [ '/x%85', '/x%85' ], [ '/ADMIN', '/ADMIN' ], [ '/%7Ex', '/~x' ], [ '/%41', '/A' ],
    [ '/x%3fy', '/x%3Fy' ], [ '/x%23y', '/x%23y' ], [ '/x/%c3%a9', '/x/%C3%A9' ], [ '/x/./y/../z', '/x/z' ],
    [ '/x//y', '/x/y' ], [ '/x/%2e', '/x/' ], [ '/x/y/..', '/x/' ], [ '/x%2By', '/x%2By' ], [ '/x+y', '/x+y' ],
    [ '/%ef%bc%8fadmin', '/%EF%BC%8Fadmin' ], [ '/%ef%bc%8e%ef%bc%8e/x', '/%EF%BC%8E%EF%BC%8E/x' ],
    [ '/x/?/../admin', '/x/?/../admin' ], [ '/a/b', '/a/b' ], [ '/x"y', '/x%22y' ], [ '/x%22y', '/x%22y' ],
    [ '/x|y', '/x%7Cy' ], [ '/x%2fy', '/x%2Fy' ], [ '/x%5cy', '/x%5Cy' ];
$a->judged('10,000 dots', $get->('/x/' . ('./' x 3000)), $target->('/x/'));

$a->done;
