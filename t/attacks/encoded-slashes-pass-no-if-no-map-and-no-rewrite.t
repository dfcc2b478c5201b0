# A path whose encoded slashes are kept may reach a peer that takes them for slashes.  An `if`, a `map` or a `rewrite` that would judge it otherwise then does not
# let it pass: 400, as where it would be another location's.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('encoded slashes pass no if, no map and no rewrite')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->target) });
$w->allow_log(qr/cause: (?:client|route)\./);
$w->conf(<<"END", workers => 1);
    map \$uri \$closed { ~^/closed/ 1; /shut/it 1; }
    map \$uri \$shown { ~^/closed/ no; default yes; }
    server {
        if (\$uri ~ ^/secret/) { return 403; }
        rewrite ^/old/(.*)\$ /new/\$1;
        location / {
            set \$kept \$uri;
            if (\$uri = /one/file) { return 403; }
            if (\$kept !~ ^/[^x]) { return 403; }
            if (\$kept ~ ^/kept/.) { return 403; }
            if (\$closed) { return 403; }
            add_header X-Shown \$shown;
            if (\$request_uri ~ ^/never/) { return 403; }
            proxy_pass http://$origin;
        }
    }
END
is $w->get($_)->status, 400, $_ for '/secret%2Fa', '/%2Fsecret/a', '/secret%5ca', '/one%2ffile', '/%2Fone/file', '/kept%2fa', '/old%2Fa', '/%2fx', '/closed%2Fa', '/shut%2fit';
is $w->get($_)->status, 403, $_ for '/secret/a', '/secret/a%2Fb', '/one/file', '/kept/a', '/closed/a%2fb', '/shut/it', '/never/a', '/x';
for my $case ([ '/a%2Fb' ], [ '/a/b%5Cc' ], [ '/never%2Fa' ], [ '/secrets%2Fa' ], [ '/old/a%2Fb', '/new/a%2Fb' ], [ '/a%252Fb' ], [ '/secret%252Fa' ]) {
    is $w->get($case->[0])->body, $case->[1] // $case->[0], "$case->[0] passes";
}
done_testing;
