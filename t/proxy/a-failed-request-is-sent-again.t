# retry: after which failures, how often, after which pause; to the same peer when there is no other; never more than is safe.
use v5.36;
use lib 't/lib';
use Time::HiRes 'time';
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('a failed request is sent again');
my $dir = $w->dir;
# ?fail=N: the first N of that target fail, as ?how= says.
my $origin = $w->origin(sub ($c) {
    my $t = $c->request->{target};
    my ($n, $how) = $t =~ /fail=(\d+)&how=(\w+)/;
    $c->note(sprintf '%s %d %s %.3f', $t, length $c->request->{body}, substr($c->request->{body}, -3), time);
    my $id = ($t =~ /id=(\w+)/)[0];
    my $file = "$dir/tries-$id";
    open my $f, '>>', $file or die $!;
    print $f "x";
    close $f;
    if (-s $file <= $n) {
        return $c->close if $how eq 'close';
        if ($how eq 'silent') { eval { $c->take_all }; return $c->close }
        return $c->raw("nonsense\r\n\r\n") && $c->close if $how eq 'nonsense';
        return $c->reply($how, "failed $how");
    }
    $c->reply(200, 'try ' . -s $file);
});
my $dead = $w->refused_peer;
$w->conf(<<"END", workers => 1);
    upstream one { server $origin; }
    upstream two { server $origin max_fails=0; server $dead max_fails=0; }
    add_header X-Tries "\$upstream_status" always;
    server {
        http2 on;
        client_max_body_size 4m;
        proxy_set_header Connection close;               # a kept one that is closed would be no failure
        location / { retry 3 on=connect,reset,timeout,502,503 backoff=20ms; proxy_pass http://one; }
        location /default { retry 2; proxy_pass http://one; }
        location /status { retry 2 on=429,503; proxy_pass http://one; }
        location /invalid { retry 2 on=invalid; proxy_pass http://one; }
        location /told { retry 2 on=reset,non_idempotent; proxy_pass http://one; }
        location /off { retry off; proxy_pass http://one; }
        location /two { retry 4 on=reset,connect backoff=1ms jitter; proxy_pass http://two; }
        location /try { try_timeout 500ms; retry 2 on=timeout; proxy_pass http://one; }
        location /stream { proxy_request_buffering off; retry 2 on=reset; proxy_pass http://one; }
        location /dead { retry 2 on=connect backoff=1ms; proxy_pass http://$dead; }
        location /plain { proxy_pass http://one; }
        location /weights {
            retry 2 on=reset backoff=1ms;
            request_header set X-Place place;
            proxy_pass http://one weight=1 { request_header add X-Place target; response_header set X-Target one; }
            return 418 weight=1;
        }
    }
END
my $id = 0;
my $ask = sub ($path, $n, $how, %arg) {
    my $method = delete $arg{method} // 'GET';
    $id++;
    return $w->request($method, "$path?id=i$id&fail=$n&how=$how", %arg);
};
my $tried = sub ($answer) { $answer->status . ': ' . ($answer->header('X-Tries') // '') };

is $tried->($ask->('/', 2, 'close')), '200: 502, 502, 200', 'a peer that closes is asked again, though it is the only one';
my @when = map { (split)[-1] } grep { /id=i$id\b/ } $origin->notes;
cmp_ok $when[1] - $when[0], '>=', 0.018, 'after a pause';
cmp_ok $when[2] - $when[1], '>=', 0.038, 'twice as long the second time';
is $tried->($ask->('/', 9, 'close')), '502: 502, 502, 502, 502', 'so often and no more';
is $tried->($ask->('/', 1, 503)), '200: 503, 200', 'a status that is named';
is $tried->($ask->('/', 1, 500)), '500: 500', 'one that is not';
my $last = $ask->('/', 9, 503);
is $tried->($last) . ' ' . $last->body, '503: 503, 503, 503, 503 failed 503', 'the last answer stands';
is $tried->($ask->('/default', 1, 'close')), '200: 502, 200', 'without on= what broke';
is $tried->($ask->('/default', 1, 503)), '503: 503', 'and no answer';
is $tried->($ask->('/status', 1, 429)), '200: 429, 200', 'too many requests';
is $tried->($ask->('/status', 1, 'close')), '502: 502', 'what is not named is not retried';
is $tried->($ask->('/invalid', 1, 'nonsense')), '200: 502, 200', 'an answer that is none';
is $tried->($ask->('/off', 1, 'close')), '502: 502', 'off';
is $tried->($ask->('/plain', 1, 'close')), '502: 502', 'a place without retry does as ever';

is $tried->($ask->('/', 1, 'close', method => 'POST', body => 'abc')), '502: 502', 'a POST is not sent twice';
is $tried->($ask->('/', 1, 503, method => 'POST', body => 'abc')), '503: 503', 'nor after an answer';
is $tried->($ask->('/told', 1, 'close', method => 'POST', body => 'abc')), '200: 502, 200', 'unless told';
is $tried->($ask->('/dead', 0, 'x', method => 'POST', body => 'abc')), '502: 502, 502, 502', 'one that never left may be tried again';
my $body = 'y' x 300000 . 'end';
is $tried->($ask->('/', 2, 'close', method => 'PUT', body => $body)), '200: 502, 502, 200', 'a body';
is_deeply [ map { [ (split)[1, 2] ] } grep { /id=i$id\b/ } $origin->notes ], [ ([ 300003, 'end' ]) x 3 ], 'is sent whole each time';
is $tried->($ask->('/stream', 1, 'close', method => 'PUT', body => 'small')), '200: 502, 200', 'a streamed one, while it is small';
is $ask->('/stream', 1, 'close', method => 'PUT', body => 'y' x 3000000)->status, 502, 'not when its beginning is gone';

my $answer = $ask->('/two', 2, 'close');
is $answer->status, 200, 'of two peers';
is scalar(split /, /, $answer->header('X-Tries')) >= 4, 1, 'each is asked in turn, then again';

my $began = time;
is $tried->($ask->('/try', 2, 'silent')), '200: 504, 504, 200', 'a try that takes too long';
cmp_ok time - $began, '>=', 0.99, 'is given its time';
is $tried->($ask->('/try', 9, 'silent')), '504: 504, 504, 504', 'the last one';
$w->wait_for_log(qr/upstream\.try_timeout/);

my @both = map { $ask->('/weights', 1, 'close') } 1 .. 4;
is join(' | ', sort map { $tried->($_) } @both), '200: 502, 200 | 200: 502, 200 | 418: - | 418: -' =~ s/418: -/418: /gr, 'with weights: each request stays with its target' or diag explain [ map { $tried->($_) } @both ];
is scalar(grep { ($_->header('X-Target') // '') eq 'one' } @both), 2, 'whose rules hold once';

my $h2 = Weir::Http2::client($w);
$id++;
is $h2->ask(':path' => "/?id=i$id&fail=2&how=close"), 200, 'over HTTP/2';
is $h2->body, 'try 3', 'as well';
$h2->close;

$w->allow_log(qr/\[emerg\]/);
for my $bad ([ 'retry 0', qr/1 to 10/ ], [ 'retry 11', qr/1 to 10/ ], [ 'retry 1 on=sometimes', qr/on= with/ ], [ 'retry 1 on=200', qr/on= with/ ], [ 'retry 1 on=', qr/on= with/ ],
    [ 'retry 1 backoff=x', qr/backoff=/ ], [ 'retry 1 backoff=31s', qr/up to 30s/ ], [ 'retry off on=reset', qr/takes nothing else/ ], [ 'timeout x', qr/time/ ]) {
    my ($code, $said) = $w->check_conf("server { location / { $bad->[0]; proxy_pass http://$origin; } }");
    isnt $code, 0, "$bad->[0]: refused";
    like $said, $bad->[1], 'and told why';
}

done_testing;
