# A value that is made of the path decides, too, where it is asked for behind the guards: for a peer, for what is said to it, for a field of the answer.  Where
# the readers of an encoded slash would not have the same one, nothing of it is done: 400.  What only counts or parts clients goes by what all spellings share.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('encoded slashes pass nothing that is asked late')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, join ' ', $c->request->target, $c->request->header('X-Role') // '-') });
my $h2     = $w->peer(sub ($c) {
    my $peer = Weir::Http2::serve($c);
    while (my $r = $peer->next_request) {
        $c->note($r->{fields}{':path'});
        $peer->write(headers($r->{stream}, 'END_HEADERS', ':status' => 200) . data($r->{stream}, $r->{fields}{'x-role'}, 'END_STREAM'));
    }
});
$w->allow_log(qr/cause: (?:client|limit)\.|limiting requests|cannot be worked out/);
$w->conf(<<"END", workers => 1);
    map \$uri \$peer { ~^/late/admin/ 127.0.0.1:1; default $origin; }
    map \$uri \$role { ~^/role/admin/ none; default all; }
    map \$uri \$cors { ~^/cors/private/ ''; default *; }
    map \$uri \$seen { ~^/log/in/ 1; default 0; }
    map \$uri \$page { ~^/page/a/ one; default two; }
    map \$uri \$speed { ~^/speed/a/ 1k; default 0; }
    map \$uri \$body { ~^/body/a/ secret; default nothing; }
    map \$uri \$rpc { ~^/rpc/admin/ none; default all; }
    geo \$from \$near { default far; 192.0.2.1 near; }
    split_clients \$uri \$share { 50% a; * b; }
    limit_req_zone \$uri zone=path:1m rate=1r/m;
    limit_req_zone \$name zone=name:1m rate=1r/m;
    log_format seen '\$uri \$status [\$seen]';
    server {
        access_log logs/seen.log seen if=\$seen;
        location /late/ { proxy_pass http://\$peer; }
        location /role/ { proxy_set_header X-Role \$role; proxy_pass http://$origin; }
        location /rpc/ { proxy_http_version 2; proxy_set_header X-Role \$rpc; proxy_pass http://$h2; }
        location /cors/ { add_header X-Cors \$cors always; proxy_pass http://$origin; }
        location /here/ { add_header X-Cors \$cors; add_header X-Role \$role; return 200 here; }
        location /log/ { proxy_pass http://$origin; }
        location /page/ { try_files /none /\$page.txt; }
        location ~ ^/[a-z]+.txt { return 200 \$uri; }
        location /speed/ { limit_rate \$speed; proxy_pass http://$origin; }
        location /body/ { return 200 \$body; }
        location ~ ^/near/(?<from>[^/%]+) { add_header X-Near \$near; proxy_pass http://$origin; }
        location /share/ { return 200 \$share; }
        location /counted/ { limit_req zone=path; empty_gif; }
        location ~ ^/named/(?<name>[^/]*) { limit_req zone=name; empty_gif; }
        location /maybe/ { if (\$uri ~ ^/maybe/([^/]*)/?x*(.*)\$) { set \$rest \$2; } if (\$rest) { return 403; } proxy_pass http://$origin; }
        location /once/ { error_page 400 /oops; proxy_set_header X-Role \$again; proxy_pass http://$origin; }
        location = /oops { add_header X-Again \$again always; return 200 oops; }
    }
    map \$uri \$again { ~^/once/admin/ none; default all; }
END
is $w->get($_)->status, 400, "$_ is refused"
    for '/late/admin%2fx', '/late%2Fadmin/x', '/role/admin%2Fx', '/rpc/admin%2Fx', '/cors/private%5cx', '/page/a%2Fb', '/speed/a%2Fb', '/body/a%2Fb', '/maybe/a%2Fb';
is $w->get('/here/x%2Fy')->body, 'here', 'a map that says the same for both is none of it';
my @asked = grep { m{admin(?!/a)} } $origin->lines;
is scalar @asked, 0, 'the origin was never asked for what is not everybody\'s';
for my $case ([ '/late/a%2Fb' => '/late/a%2Fb -' ], [ '/role/a%2Fb' => '/role/a%2Fb all' ], [ '/role/admin/a%2Fb' => '/role/admin/a%2Fb none' ], [ '/speed/b%2Fc' => '/speed/b%2Fc -' ]) {
    is $w->get($case->[0])->body, $case->[1], "$case->[0] passes";
}
is $w->get('/rpc/a%2Fb')->body, 'all', 'over HTTP/2, too';
is_deeply [ $h2->notes ], ['/rpc/a%2Fb'], 'where it was the only one';
my $refused = $w->get('/cors/private%2Fx');
is $refused->status, 400, 'a field of the answer that would differ';
is $refused->header('X-Cors'), undef, 'is not there';
is $refused->body, '', 'nor is the answer';
is $w->get('/body/a%2Fb')->body, '', 'nor is one of our own';
is $w->get('/body/b%2Fb')->body, 'nothing', 'another one is';
is $w->get('/once/admin%2Fx')->body, 'oops', 'a page for the refusal is shown once';

is $w->get('/log/in%2Fx')->status, 200, 'what only a log depends on refuses nobody';
$w->wait_for_access(qr{^/log/in%2Fx 200 \[-?\]$}m, 'seen.log');
pass 'and hides nobody';

my $share = $w->get('/share/a/b/c')->body;
is $w->get($_)->body, $share, "$_ is in the same share" for '/share/a%2Fb/c', '/share/a%2fb%2fc', '/share/a%5Cb/c';

is $w->get('/counted/a/b')->status, 200, 'the first of a path';
is $w->get($_)->status, 503, "$_ is the same one" for '/counted/a/b', '/counted/a%2Fb', '/counted/a%5cb', '/counted/a%2F%2Fb', '/counted//a%2Fb';
is $w->get('/counted/a%252Fb')->status, 200, 'another one';
is $w->get('/named/x/y')->status, 200, 'the first of a group';
is $w->get($_)->status, 503, "$_ is the same one" for '/named/x', '/named/x%2Fy', '/named/x%2fz/';
done_testing;
