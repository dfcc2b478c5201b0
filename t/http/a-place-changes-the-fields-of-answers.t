# response_header: over add_header, of peers' answers, of files and of Weir's own, over HTTP/1.1, HTTP/2 and with gRPC.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('a place changes the fields of answers');
my $origin = $w->origin(sub ($c) {
    $c->reply($c->request->{target} =~ /(\d\d\d)/ ? $1 : 200, 'body', 'X-Powered-By', 'php', 'X-Twice', 1, 'X-Twice', 2,
        'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Type', 'text/plain');
});
my $grpc = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $f = $h2->next_frame) {
        next unless $f->{type} eq 'HEADERS';
        $h2->write(headers($f->{stream}, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc', 'x-powered-by' => 'go')
            . headers($f->{stream}, 'END_HEADERS END_STREAM', 'grpc-status' => 0));
    }
});
my $dead = $w->refused_peer;
$w->conf(<<"END", workers => 1);
    server {
        http2 on;
        response_header remove X-Powered-By;
        response_header set X-Outer server;
        location / {
            add_header X-Outer added always;
            response_header add X-Outer location;
            response_header set X-Twice "\$sent_http_x_twice, 3";
            response_header set X-Status \$status;
            response_header set content-type text/html;
            proxy_pass http://$origin;
        }
        location /anonymous { response_header remove Server; proxy_pass http://$origin; }
        location /server    { response_header set Server mine; return 200 x; }
        location /dead      { response_header set X-Cause \$weir_cause; proxy_pass http://$dead; }
        location /page      { response_header set X-Place page; error_page 502 /sorry; proxy_pass http://$dead; }
        location /sorry     { response_header set X-Sorry yes; return 200 sorry; }
        location /call      { response_header set X-Call \$upstream_http_x_powered_by; grpc_pass $grpc; }
        location /dead-call { response_header set X-Call dead; response_header add grpc-note x; grpc_pass $dead; }
    }
END

my $h2 = Weir::Http2::client($w);
for my $version (1, 2) {
    my %h;
    my $ask = sub ($path) {
        %h = ();
        if ($version == 1) {
            my $answer = $w->get($path);
            push $h{ lc $_->[0] }->@*, $_->[1] for $answer->{fields}->@*;
            return $answer->status;
        }
        my $status = $h2->ask(':path' => $path);
        push $h{ $_->[0] }->@*, $_->[1] for $h2->{head}->@*;
        return $status;
    };
    is $ask->('/'), 200, "HTTP/$version";
    is $h{'x-powered-by'}, undef, 'removed by the server';
    is $h{'x-outer'}[-1], 'location', 'what an outer block sets is in the place of add_header, the inner one adds';
    is scalar($h{'x-outer'}->@*), 2, 'both';
    is_deeply $h{'x-twice'}, ['1, 2, 3'], 'set replaces all of a name, with what it was';
    is_deeply $h{'content-type'}, ['text/html'], 'a known field in any case';
    is_deeply $h{'x-status'}, [200], 'a variable of the answer';
    is scalar($h{'set-cookie'}->@*), 2, 'others stay';
    is $ask->('/404'), 404, 'any status';
    is_deeply $h{'x-twice'}, ['1, 2, 3'], 'has them';
    $ask->('/anonymous');
    is $h{server}, undef, 'no Server';
    $ask->('/server');
    is_deeply $h{server}, ['mine'], 'another Server';
    is $ask->('/dead'), 502, "an answer of Weir's own";
    is_deeply $h{'x-cause'}, ['upstream.connect.refused'], 'too';
    is $ask->('/page'), 502, 'an error page';
    is_deeply [ $h{'x-sorry'}, $h{'x-place'}, $h{'x-outer'} ], [ ['yes'], undef, ['server'] ], 'is an answer of its own place';
}
my @call = (':method' => 'POST', 'content-type' => 'application/grpc', te => 'trailers', body => "\0\0\0\0\0");
is $h2->ask(':path' => '/call', @call), 200, 'a call';
is_deeply [ $h2->head->@{qw(x-call x-powered-by)} ], [ 'go', undef ], 'its head is changed';
is $h2->ask(':path' => '/dead-call', @call), 200, 'a call that fails here';
is_deeply [ $h2->head->@{qw(x-call grpc-status grpc-note)} ], [ 'dead', 14, 'x' ], 'is changed behind what gRPC makes of it';
$h2->close;

$w->allow_log(qr/\[emerg\]/);
for my $bad ([ 'set Content-Length 5', qr/of the connection/ ], [ 'remove Transfer-Encoding', qr/of the connection/ ],
    [ 'set Date x', qr/Date/ ], [ 'set X', qr/takes a name and a value/ ]) {
    my ($code, $said) = $w->check_conf("server { location / { response_header $bad->[0]; } }");
    isnt $code, 0, "$bad->[0]: refused";
    like $said, $bad->[1], 'and told why';
}

done_testing;
