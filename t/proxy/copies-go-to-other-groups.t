# mirror_to: copies of what the peer gets, body and all, an exact share of them; nobody waits for them.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('copies go to other groups');
my $tell = sub ($name) {
    sub ($c) {
        my $r = $c->request;
        my %f = map { lc $_->[0] => $_->[1] } $r->{fields}->@*;
        $c->note(join ' ', $name, $r->method, $r->target, $f{host} =~ s/:\d+$//r, map({ "$_=$f{$_}" } grep { defined $f{$_} } qw(x-set x-client x-re)), length $r->{body}, substr($r->{body}, -3));
        $c->wait_for('copies') if $r->target =~ /slow/ && $name eq 'copy';
        $c->reply($name eq 'copy' ? 500 : 200, "from $name");
    }
};
my $main = $w->origin($tell->('main'));
my $copy = $w->origin($tell->('copy'));
my $half = $w->origin($tell->('half'));
my $dead = $w->refused_peer;
my $serve = sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    my %path;
    while (my $f = $h2->next_frame) {
        $path{ $f->{stream} } = { map { @$_ } $f->{fields}->@* } if $f->{type} eq 'HEADERS';
        next unless $f->{flags} =~ /END_STREAM/ || ($f->{type} eq 'DATA');
        $c->note("$path{$f->{stream}}{':path'} " . ($f->{type} eq 'DATA' ? length $f->{payload} : 0));
        $h2->write(headers($f->{stream}, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 0));
    }
};
my ($call, $call_copy) = ($w->peer($serve), $w->peer($serve));
$w->conf(<<"END");
    upstream main { server $main; keepalive 2; }
    upstream copy { server $copy; }
    server {
        http2 on;
        client_max_body_size 4m;
        location /a     { mirror_to copy; request_header set X-Set yes; request_header add X-Re "\$http_x_client"; proxy_pass http://main; }
        location /path/ { mirror_to copy; rewrite_host peer.example; proxy_pass http://main/base/; }
        location ~ ^/re/(.*)\$ { mirror_to copy; rewrite_path /got/\$1; proxy_pass http://main; }
        location /share { mirror_to $half percent=50; mirror_to copy percent=20; mirror_to $dead percent=0; proxy_pass http://main; }
        location /dead  { mirror_to $dead; mirror_to copy; proxy_pass http://main; }
        location /split { mirror_to copy; proxy_pass http://main weight=1; return 503 weight=1; }
        location /stream { mirror_to copy; proxy_request_buffering off; proxy_pass http://main; }
        location /guard { mirror_to copy; deny all; proxy_pass http://main; }
        location /call  { mirror_to $call_copy; grpc_pass $call; }
        route copied { match path_prefix=/route; mirror_to copy; rewrite_prefix /r; proxy_pass http://main; }
    }
END
my $copies = sub ($n) { $w->wait_until("$n copies", sub { $copy->notes >= $n }); my @n = $copy->notes; $n[$n - 1] };

is $w->get('/a?q=1', 'X-Client' => 'c')->body, 'from main', 'the client gets the answer of the peer';
is $copies->(1), 'copy GET /a?q=1 copy x-set=yes x-client=c x-re=c 0 ', 'the copy is what the peer gets, in the name of its group';
is $w->get('/path/x%20y?q')->status, 200, 'a path that is another one';
is $copies->(2), 'copy GET /base/x%20y?q peer.example 0 ', 'is so for the copy';
is $w->get('/re/a/b')->status, 200, 'a group of a pattern';
is $copies->(3), 'copy GET /got/a/b copy 0 ', 'is there for the copy';
my $body = 'x' x 1500000 . 'end';
is $w->request('POST', '/a', body => $body)->status, 200, 'a body';
is $copies->(4), 'copy POST /a copy x-set=yes 1500003 end', 'goes with the copy, all of it';
is +(grep { /POST/ } $main->notes)[0], 'main POST /a main x-set=yes 1500003 end', 'and to the peer';
is $w->request('PUT', '/stream', body => 'abcdef')->status, 200, 'one that is not buffered';
is $copies->(5), 'copy PUT /stream copy 6 def', 'is, for that';

is $w->get('/a/slow')->body, 'from main', 'nobody waits for a copy';
$copies->(6);
$w->pass('copies');
is $w->get('/dead')->status, 200, 'one that fails harms nobody';
is $copies->(7), 'copy GET /dead copy 0 ', 'nor the others';
is $w->get('/guard')->status, 403, 'what is not let in';
is join(' ', sort map { $w->get('/split')->status } 1 .. 4), '200 200 503 503', 'copies and weights';
$copies->(11);
is $copies->(11), 'copy GET /split copy 0 ', 'a copy of each';
is $w->get('/route/x')->status, 200, 'in a route';
is $copies->(12), 'copy GET /r/x copy 0 ', 'as well';

my ($was_half, $was_copy) = (scalar($half->notes), scalar($copy->notes));
$w->get("/share?$_") for 1 .. 20;
$w->wait_until('their copies', sub { $half->notes >= 10 && $copy->notes >= $was_copy + 4 });
$w->get('/a/last');
$copies->($was_copy + 5);
is scalar($half->notes), 10, 'half of them, exactly';
is scalar(grep { /share/ } $copy->notes), 4, 'a fifth of them';

my $h2 = Weir::Http2::client($w);
is $h2->ask(':method' => 'POST', ':path' => '/call/x', 'content-type' => 'application/grpc', te => 'trailers', body => "\0\0\0\0\3abc"), 200, 'a call';
$w->wait_until('its copy', sub { $call_copy->notes >= 1 });
is +($call_copy->notes)[0], '/call/x 8', 'is copied, too';
$h2->close;

$w->allow_log(qr/\[emerg\]/);
for my $bad ([ 'mirror_to http://copy;', qr/without a scheme/ ], [ 'mirror_to copy percent=101;', qr/0 to 100/ ], [ 'mirror_to copy percent=1.234;', qr/0 to 100/ ],
    [ 'mirror_to copy 50%;', qr/percent=/ ], [ 'mirror_to copy' . ';mirror_to copy' x 16 . ';', qr/more than 16/ ], [ 'mirror_to copy;', qr/needs a "proxy_pass"/, '' ],
    [ 'mirror_to nowhere.invalid;', qr/nowhere\.invalid/ ]) {
    my ($code, $said) = $w->check_conf("upstream copy { server $copy; } server { location / { $bad->[0] @{[ $bad->[2] // 'proxy_pass http://copy;' ]} } }");
    isnt $code, 0, substr("$bad->[0]: refused", 0, 60);
    like $said, $bad->[1], 'and told why';
}

done_testing;
