# $request_body, $sent_trailer_…, $upstream_trailer_…, $limit_rate, $request_port, $is_request_port, $realpath_root: what they hold, and where they are empty.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('variables of bodies trailers and ports hold what they say')->needs_weir;
my $dir    = $w->dir;
my $origin = $w->peer(sub ($c) {
    while (my $r = $c->read_request) { $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n") }
});
my $copy = $w->origin(sub ($c) { $c->note($c->request->header('X-Body') // '-'); $c->reply(200, 'x') });
mkdir "$dir/real" or die $!;
symlink "$dir/real", "$dir/link" or die $!;
$w->conf(<<"END");
    log_format v '\$uri|\$request_body|\$sent_trailer_x_own|\$upstream_trailer_x_sum|\$limit_rate';
    access_log logs/v.log v;
    client_body_buffer_size 8k;
    server {
        location /body { proxy_pass http://$origin; }
        location /trailer { add_trailer X-Own yes; proxy_pass http://$origin; }
        location /rate { set \$limit_rate 5k; proxy_pass http://$origin; }
        location /port { return 200 "\$host\$is_request_port\$request_port"; }
        location /root { root $dir/link; return 200 "\$document_root \$realpath_root"; }
        location /noroot { root $dir/nothing; return 200 "<\$realpath_root>"; }
        location /own { return 200 "<\$request_body>"; }
        location /copied { mirror /copy; proxy_pass http://$origin; }
        location /copy { proxy_set_header X-Body \$request_body; proxy_pass http://$copy; }
    }
END
is $w->request('POST', '/body', body => 'a=1&b=2')->status, 200, 'a small body';
$w->wait_for_access(qr{^/body\|a=1&b=2\|-\|42\|0$}m, 'v.log');
is $w->request('POST', '/body/large', body => 'x' x 20_000)->status, 200, 'one that went to a file';
$w->wait_for_access(qr{^/body/large\|-\|-\|42\|0$}m, 'v.log');
is $w->get('/trailer')->trailer('X-Own'), 'yes', 'a trailer of ours';
$w->wait_for_access(qr{^/trailer\|-\|yes\|42\|0$}m, 'v.log');
is $w->get('/rate')->status, 200, 'a rate';
$w->wait_for_access(qr{^/rate\|-\|-\|42\|5120$}m, 'v.log');
is $w->request('GET', '/port', host => 'a.test:81')->body, 'a.test:81', 'a port that was named';
is $w->request('GET', '/port', host => 'a.test')->body, 'a.test', 'none';
is $w->get('/root')->body, "$dir/link $dir/real", 'a root through a link';
is $w->get('/noroot')->body, '<>', 'one that is not there';
is $w->request('POST', '/own', body => 'unread')->body, '<>', 'a body that nobody has read';
is $w->request('POST', '/copied', body => 'copied')->status, 200, 'a body that was read ahead';
$copy->wait_note('copied');
pass 'is known to who asks later';
done_testing;
