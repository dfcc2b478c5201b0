# mirror_to where proxy_pass has variables with a path in them: the copy is asked for what the request is passed on for.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a copy has the path that variables of proxy_pass make');
my $main = $w->origin(sub ($c) { $c->note($c->request->target . ' ' . $c->request->header('Host')); $c->reply(200, 'ok') });
my $copy = $w->origin(sub ($c) { $c->note($c->request->target . ' ' . $c->request->header('Host')); $c->reply(200, 'ok') });
$w->allow_log(qr/client\.target|upstream\.resolve/);
$w->conf(<<"END", workers => 1);
    upstream copies { server $copy; }
    map \$arg_v \$base { default "/one"; 2 "/two/x"; }
    server {
        set \$up $main;
        location /a/ { mirror_to copies; proxy_pass http://\$up\$base/b?q=\$arg_q; }
        location /plain/ { mirror_to copies; proxy_pass http://\$up; }
        location /dots/ { mirror_to copies; proxy_pass http://\$up/\$arg_p; }
        location /split/ { mirror_to copies; proxy_pass http://$main/s/; }
    }
END
my $client = $w->client;
for ([ '/a/x?q=1', '/one/b?q=1' ], [ '/a/x?v=2&q=2', '/two/x/b?q=2' ], [ '/plain/y?z', '/plain/y?z' ], [ '/split/z', '/s/z' ]) {
    my ($target, $want) = @$_;
    is $client->get($target)->status, 200, $target;
    $main->wait_note("$want $main");
    $copy->wait_note("$want copies");
    pass "$target: both are asked for $want";
}
my $before = $copy->requests;
is $w->get('/dots/?p=../x')->status, 400, 'what is not passed on';
is $client->get('/plain/end')->status, 200, 'the next';
$copy->wait_note('/plain/end copies');
is $copy->requests, $before + 1, 'is not copied';
done_testing;
