# `weir explain` says "depends" for what it cannot know: variables of the connection and of what comes later, also behind a map, weights, servers of
# a group, files, policies; and not for what the request tells.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('explain says what only run time knows')->needs_weir;
$w->conf(<<'END');
    upstream two { server 127.0.0.1:8001; server 127.0.0.1:8002; }
    upstream one { server 127.0.0.1:8003; }
    limit_req_zone $request_method zone=rate:1m rate=5r/s;
    map $ssl_client_verify $who { default nobody; SUCCESS somebody; }
    map $http_x_kind $kind { default plain; }
    split_clients "$remote_addr" $half { 50% a; * b; }
    server {
        location /known { if ($kind = plain) { set $x $arg_a; } proxy_pass http://one; }
        location /connection { if ($who = somebody) { return 403; } proxy_pass http://one; }
        location /later { set $x "$request_id"; return 200 $x; }
        location /client { if ($half = a) { return 200 a; } return 200 b; }
        location /files { if (-f /nowhere) { return 403; } return 200 ok; }
        location /group { proxy_pass http://two; }
        location /weights { proxy_pass http://one weight=9; proxy_pass http://two weight=1; }
        location /variable { proxy_pass http://$http_x_to; resolver 127.0.0.1; }
        location /limited { limit_req zone=rate; deny 10.0.0.2; proxy_pass http://one; }
        location /policies { deny all; proxy_pass http://one; }
        location /static { }
    }
END
my $depends = sub ($path, @more) {
    my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', 'GET http://localhost:' . $w->port . $path, '--json', @more);
    is $code, 0, "$path is explained" or diag $said;
    return join '; ', map { $_->{on} } Weir::Json::decode($said)->{depends}->@*;
};
is $depends->('/known?a=1', '-H', 'X-Kind: a'), '', 'what the request tells is known';
is $depends->('/connection'), '$ssl_client_verify', 'a variable of the connection, behind a map';
is $depends->('/later'), '$request_id', 'one that is made later';
is $depends->('/client'), '$remote_addr', 'the client';
is $depends->('/client', '--ip', '10.0.0.1'), '', 'who is known when it is said';
like $depends->('/files'), qr/^files, as the user who runs this tool sees them$/, 'files';
like $depends->('/group'), qr/^which servers of the group are healthy, and whose turn it is$/, 'servers of a group';
like $depends->('/weights'), qr/^the weights of the targets/, 'weights';
like $depends->('/variable', '-H', 'X-To: name.example'), qr/^what the resolver says of the name$/, 'a name';
is $depends->('/variable', '-H', 'X-To: one'), '', 'but not that of a group';
is $depends->('/policies'), 'what http_access says', 'policies';
is $depends->('/limited', '--ip', '10.0.0.1'), 'what http_limit_req says', 'and limits, where who comes is known';
like $depends->('/static'), qr/^whether the file is there$/, 'a file';
done_testing;
