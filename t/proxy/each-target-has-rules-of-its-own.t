# proxy_pass URL weight=N { request_header …; response_header …; }, with grpc_pass, too.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('each target has rules of its own');
my $echo = $w->origin(sub ($c) {
    $c->reply($c->request->{target} =~ /base/ ? 302 : 200, join('', map { "$_->[0]=$_->[1]\n" } grep { $_->[0] =~ /^(?:X-|Host)/i } $c->request->{fields}->@*),
        'X-Peer', 'yes', $c->request->{target} =~ /base/ ? ('Location', 'http://' . ($c->request->{fields}[0][1]) . '/base/there') : ());
});
my $grpc = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $f = $h2->next_frame) {
        next unless $f->{type} eq 'HEADERS';
        $c->note(join ' ', map { "$_->[0]=$_->[1]" } grep { $_->[0] =~ /^x-/ } $f->{fields}->@*);
        $h2->write(headers($f->{stream}, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 0));
    }
});
my $dead = $w->refused_peer;
$w->conf(<<"END", workers => 1);
    upstream a { server $echo; }
    upstream b { server $echo; }
    server {
        http2 on;
        response_header add X-Order place;
        location / {
            request_header set X-Place "yes";
            request_header add X-Order place;
            proxy_pass http://a weight=1 {
                request_header  add X-Order a;
                request_header  set X-Place "\$http_x_place of a";
                response_header set X-Order a;
                response_header remove X-Peer;
            }
            proxy_pass http://b weight=1;
        }
        location /moved/ { proxy_pass http://a/base/ weight=1; proxy_pass http://b/base/ weight=1 { response_header set X-B b; } }
        location /dead   { proxy_pass http://$dead weight=1 { response_header set X-Dead yes; } error_page 502 =200 \@fallback; }
        location \@fallback { proxy_set_header X-Seen "[\$http_x_order]"; proxy_pass http://b; }
        location /call   { grpc_pass grpc://$grpc weight=1 { request_header set X-T one; response_header set X-T one; } grpc_pass grpc://$grpc weight=1 { request_header set X-T two; } }
    }
END

my %by;
for (1 .. 4) {
    my $answer = $w->get('/', 'X-Order' => 'client');
    $by{ $answer->body =~ /Host=(\w+)/i ? $1 : '-' } = $answer;
}
is join(' ', sort keys %by), 'a b', 'both were asked, each by its own name';
is join(' ', $by{a}->body =~ /X-Order=(\w+)/g), 'client place a', "a request has the place's rules, then the target's";
like $by{a}->body, qr/^X-Place=yes of a$/m, 'which see what those made';
is join(' ', $by{b}->body =~ /X-Order=(\w+)/g), 'client place', 'only the one chosen';
is join(' ', $by{a}->header('X-Order')), 'a place', "an answer the target's, then the place's";
is join(' ', $by{b}->header('X-Order')), 'place', 'only of the one chosen';
is $by{a}->header('X-Peer') // 'none', 'none', 'a field is removed';
is $by{b}->header('X-Peer'), 'yes', 'there it is not';

for (1 .. 2) {
    my $answer = $w->get('/moved/x');
    like $answer->header('Location'), qr{^http://localhost:\d+/moved/there$}, 'proxy_redirect knows the address of the target';
}
my $answer = $w->get('/dead', 'X-Order' => 'client');
is $answer->status, 200, 'an error page answers for a target that fails';
is $answer->header('X-Dead') // 'none', 'none', 'not with its fields';
like $answer->body, qr/^X-Seen=\[client\]$/m, 'nor with those of its request';

my $h2 = Weir::Http2::client($w);
my %calls;
for (1 .. 4) {
    is $h2->ask(':method' => 'POST', ':path' => '/call/x', 'content-type' => 'application/grpc', te => 'trailers', body => "\0\0\0\0\0"), 200, 'a call';
    $calls{ $h2->head->{'x-t'} // '-' }++;
}
is_deeply \%calls, { one => 2, '-' => 2 }, 'calls are shared, too';
is_deeply [ sort $grpc->notes ], [ ('x-t=one') x 2, ('x-t=two') x 2 ], 'with their fields';
$h2->close;

done_testing;
