# hedge: a second try beside the first one; the first good head wins, the other is cancelled and its peer not blamed; errors in one, in both, both at once.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Test;

my $w   = Weir::Test->new('the first good answer of two tries is the client\'s')->needs_weir;
my $dir = $w->dir;
# ?a=WHAT&b=WHAT: what the first and the second one asked do
my $work = sub ($name) {
    sub ($c) {
        my ($id)  = $c->request->{target} =~ /id=(\w+)/;
        my $first = mkdir "$dir/asked-$id";
        my ($how) = $c->request->{target} =~ ($first ? qr/a=([\w.]+)/ : qr/b=([\w.]+)/);
        $c->note("$id $how " . length $c->request->{body});
        my ($wait, $do) = $how =~ /^(\d+)\.(\w+)$/ ? ($1, $2) : (0, $how);
        sleep $wait / 1000 if $wait;
        if ($do eq 'hang')  { my $bytes = eval { $c->take_all }; $c->note("$id cancelled"); return $c->close }
        return $c->close if $do eq 'close';
        if ($do eq 'hint')  { $c->raw("HTTP/1.1 103 Early Hints\r\nLink: </$name>\r\n\r\n"); eval { $c->take_all }; return $c->close }
        if ($do eq 'body')  { $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"); sleep 0.3; $c->raw('56789'); return }
        if ($do eq 'cut')   { $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"); return $c->close }
        if ($do eq 'trailer') { return $c->reply_chunked(200, [ $name ], headers => [ Trailer => 'X-Last' ], trailers => [ 'X-Last' => $name ]) }
        $c->reply($do =~ /^\d+$/ ? $do : 200, $do);
    };
};
my @at   = map { $w->origin($work->($_)) } 'one', 'two';
my $hole = $w->blackhole_peer;
my $dead = $w->refused_peer;
$w->allow_log(qr/upstream/, qr/\[emerg\]/);
$w->conf(<<"END", workers => 1);
    log_format hedged '\$request_uri \$status \$upstream_addr \$upstream_status \$upstream_trailer_x_last';
    access_log logs/hedged.log hedged;
    upstream two  { server $at[0] max_fails=1 fail_timeout=1h; server $at[1] max_fails=1 fail_timeout=1h; keepalive 4; }
    upstream hole { server $hole; server $at[0] backup; }
    upstream dead { server $at[0]; server $dead backup; }
    upstream none { server $at[0]; }
    upstream free { server $at[0] max_fails=0; server $at[1] max_fails=0; keepalive 4; }
    server {
        proxy_read_timeout 2s; client_max_body_size 0;
        proxy_pass_trailers on;
        add_header X-Tries \$upstream_status always;
        location / { hedge after=100ms budget=100%; proxy_next_upstream error timeout http_503; proxy_pass http://two; }
        location /hole { hedge after=100ms budget=100%; proxy_pass http://hole; }
        location /dead { hedge after=50ms budget=100%; proxy_pass http://dead; }
        location /none { hedge after=50ms budget=100%; proxy_pass http://none; }
        location /long { hedge after=30s budget=100%; proxy_pass http://two; }
        location /off { hedge off; proxy_pass http://two; }
        location /stream { hedge after=50ms budget=100%; proxy_request_buffering off; proxy_pass http://two; }
        location /timeout { hedge after=50ms budget=100%; timeout 300ms; proxy_pass http://free; }
        location /try { hedge after=100ms budget=100%; try_timeout 200ms; proxy_next_upstream off; proxy_pass http://free; }
        location /retry { hedge after=50ms budget=100%; retry 2 on=reset,503 backoff=1ms; proxy_pass http://two; }
        location /free { hedge after=100ms budget=100%; proxy_next_upstream error; proxy_pass http://free; }
        location /again { hedge after=50ms budget=100%; retry 2 on=reset backoff=1ms; proxy_pass http://free; }
        location /file { hedge after=50ms budget=100%; client_body_buffer_size 8k; proxy_pass http://free; }
        location = /status { status; }
    }
END
my $id = 0;
my $ask = sub ($path, $a, $b = 'unasked', %arg) { $id++; $w->request(delete $arg{method} // 'GET', "$path?id=i$id&a=$a&b=$b", %arg) };
my $told = sub ($answer) { $answer->status . ' ' . $answer->body . ': ' . $answer->header('X-Tries') };
my $is = sub ($got, $want, $what) { is $told->($got), $want, $what };
my $notes = sub { my @all = map { $_->notes } @at; [ sort map { s/^i$id //r } grep { /^i$id / } @all ] };
my $group = sub ($name = 'two') { decode_json($w->get('/status')->body)->{upstreams}{$name} };
my $blamed = sub { my $peers = $group->()->{peers}; scalar grep { $_->{state} ne 'up' || $_->{fails} } values %$peers };

$is->($ask->('/', 'quick'), '200 quick: 200', 'a quick answer: nobody else is asked');
$is->($ask->('/long', '50.late'), '200 late: 200', 'nor before the time');
my $from = time;
$is->($ask->('/', 'hang', 'second'), '200 second: -, 200', 'a peer that does not answer: the second one does');
cmp_ok time - $from, '>=', 0.1, 'after the time';
cmp_ok time - $from, '<', 1.5, 'and soon';
$w->wait_until('it is cancelled', sub { grep { $_ eq 'cancelled' } $notes->()->@* });
is_deeply $notes->(), [ 'cancelled', 'hang 0', 'second 0' ], 'the first one is cancelled';
$is->($ask->('/', '200.first', 'hang'), '200 first: 200, -', 'the first one answers after all');
$w->wait_until('the second is cancelled', sub { grep { $_ eq 'cancelled' } $notes->()->@* });
is $blamed->(), 0, 'nobody is blamed';
is_deeply [ map { $group->()->{$_} } qw(hedges hedges_won hedges_refused) ], [ 2, 1, 0 ], 'and counted';

$is->($ask->('/', 'hang', 'put', method => 'PUT', body => 'x' x 200_000), '200 put: -, 200', 'a body that was read');
is_deeply [ grep { !/cancelled/ } $notes->()->@* ], [ 'hang 200000', 'put 200000' ], 'is sent whole to both';
$is->($ask->('/', '200.post', 'unasked', method => 'POST', body => 'x'), '200 post: 200', 'a POST is not sent twice');
$is->($ask->('/off', '200.off'), '200 off: 200', 'off');
$is->($ask->('/none', '200.none'), '200 none: 200', 'no other peer');
$is->($ask->('/stream', '200.stream', 'unasked', method => 'PUT', body => 'x' x 3_000_000), '200 stream: 200', 'a body that streams');

$is->($ask->('/', 'hang', 'body'), '200 0123456789: -, 200', 'the second one with a slow body');
my $trailers = $ask->('/', 'hang', 'trailer', headers => [ TE => 'trailers' ]);
like $trailers->body, qr/^(?:one|two)$/, 'trailers';
is scalar $trailers->trailer('X-Last'), $trailers->body, 'are those of the second one';
$is->($ask->('/', '150.body', '200.late'), '200 0123456789: 200, -', 'the first one with a slow body: its head decides');

# bad answers
$is->($ask->('/', '200.500', '300.good'), '200 good: 500, 200', 'an error of the first is no answer while the second is under way');
$is->($ask->('/', '400.good', '500'), '200 good: 200, 500', 'nor one of the second');
is $blamed->(), 0, 'statuses that are not named blame nobody';
$is->($ask->('/', '200.500', '300.501'), '501 501: 500, 501', 'errors of both: the last one is the client\'s');
$is->($ask->('/', '200.404', 'hang'), '404 404: 404, -', '404 is an answer');

# failures
$is->($ask->('/dead', '300.good'), '200 good: 200, 502', 'the second one refuses: the first one goes on');
$is->($ask->('/hole', 'good'), '200 good: -, 200', 'the first one cannot even be connected');
$is->($ask->('/retry', '100.close', '200.good'), '200 good: 502, 200', 'the first one breaks: the second one goes on');
is_deeply [ map { $_->{state} } grep { $_->{fails} } values $group->()->{peers}->%* ], ['unavail'], 'and who broke is blamed';

my $both = $ask->('/free', '150.close', '200.close');
is $both->status . ' ' . $both->header('X-Tries'), '502 502, 502', 'both break: there is no third';
$both = $ask->('/again', '100.close', '100.close');
is $both->status . ' ' . $both->header('X-Tries'), '502 502, 502, 502, 502', 'both break, and retry has two more';
$both = $ask->('/timeout', 'hang', 'hang');
is $both->status . ' ' . $both->header('X-Tries'), '504 504, 504', 'neither answers in the whole time';
$both = $ask->('/try', 'hang', 'hang');
is $both->status . ' ' . $both->header('X-Tries'), '504 504, 504', 'neither answers in the time of a try';
$is->($ask->('/try', 'hang', '150.good'), '200 good: 504, 200', 'the time of a try is each one\'s own');

# a body that lies in a file is read for both at once
my $file = join '', map { sprintf '%07d ', $_ } 1 .. 100_000;
$is->($ask->('/file', 'hang', '100.good', method => 'PUT', body => $file), '200 good: -, 200', 'a body in a file');
is_deeply [ grep { !/cancelled/ } $notes->()->@* ], [ '100.good 800000', 'hang 800000' ], 'is sent whole to both';
my $slow = sub ($name) { $w->peer(sub ($c) {
    while (my $head = $c->read_head) {
        sleep 0.15;                                    # meanwhile the other one begins
        $c->read_body;
        my $body = $c->request->{body};
        $c->note(length($body) . ' ' . ($body eq $file ? 'whole' : 'spoilt'));
        sleep($name eq 'slow one' ? 1 : 0.2);
        $c->reply(200, $name);
    }
}) };
my @slow = map { $slow->($_) } 'slow one', 'slow two';
$w->reload($w->{conf}{text} =~ s/    upstream none/    upstream slow { server $slow[0]; server $slow[1]; }\n    upstream none/r
    =~ s/        location = .status/        location \/slow { hedge after=50ms budget=100%; client_body_buffer_size 8k; proxy_pass http:\/\/slow; }\n        location = \/status/r, workers => 1);
my $answer = $w->request('PUT', '/slow', body => $file);
is $answer->body, 'slow two', 'both read it at the same time: the quicker one answers';
$slow[0]->wait_note('800000 whole');
is_deeply [ map { $_->notes } @slow ], [ ('800000 whole') x 2 ], 'and both got it as it is';

# the client leaves
$id++;
my $client = $w->client->send_request('GET', "/free?id=i$id&a=hang&b=hang");
$w->wait_until('both are asked', sub { (grep { /hang/ } $notes->()->@*) == 2 });
$client->close;
$w->wait_until('both are cancelled', sub { (grep { /cancelled/ } $notes->()->@*) == 2 });
pass 'a client that leaves cancels both';

# a reload and an end of the worker between
$id++;
$client = $w->client->send_request('GET', "/free?id=i$id&a=hang&b=600.good");
$w->wait_until('both are asked', sub { $notes->()->@* == 2 });
$w->reload;
is $client->read_response->body, 'good', 'a reload between';

# a kept connection that the peer closes: on a fresh one, and the other goes on
$is->($ask->('/free', '300.first', '300.second'), '200 first: 200, -', 'and all is as before');
is $group->('free')->{peers}{"$_"}{active}, 0, 'no request is left on a peer' for @at;

for my $bad ([ 'hedge', qr/hedge/ ], [ 'hedge after=0', qr/1ms or more/ ], [ 'hedge after=p0', qr/p1 to p99/ ], [ 'hedge after=p100', qr/p1 to p99/ ],
    [ 'hedge budget=5%', qr/needs after=/ ], [ 'hedge after=1s budget=5', qr/from 0% to 100%/ ], [ 'hedge off budget=5%', qr/takes nothing else/ ], [ 'hedge after=1s after=2s', qr/after/ ])
{
    my ($code, $said) = $w->check_conf("server { location / { $bad->[0]; proxy_pass http://$dead; } }");
    isnt $code, 0, "$bad->[0]: refused";
    like $said, $bad->[1], 'and told why';
}
done_testing;
