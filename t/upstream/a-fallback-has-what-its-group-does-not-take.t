# A group's fallback is asked the same request when its breaker is open, a cap is reached, or no server may be asked; chains go on; a location
# may answer.  Circles and names that are none are errors.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w     = Weir::Test->new('a fallback has what its group does not take')->needs_weir;
my $bad   = $w->origin(sub ($c) { $c->reply(500, 'bad') });
my $slow  = $w->origin(sub ($c) { $c->wait_for($c->request->{target} =~ tr{/}{-}r); $c->reply(200, 'slow') });
my $other = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join '|', 'other', $r->{method}, $r->{target}, scalar($r->header("Host")), $r->body) });
my $text  = <<"END";
    log_format f '\$request_uri \$status \$upstream_addr';
    access_log logs/f.log f;
    upstream other   { server $other; }
    upstream breaker { server $bad; circuit_breaker minimum=1 open=1h; fallback other; }
    upstream cap     { server $slow; max_requests 1; fallback other; }
    upstream conns   { server $slow; max_connections 1; fallback other; }
    upstream down    { server $bad down; fallback cap; }
    upstream placed  { server $bad down; fallback \@sorry; }
    upstream lost    { server $bad down; fallback \@nowhere; }
    server {
        location /breaker/ { proxy_pass http://breaker; }
        location /cap/     { proxy_pass http://cap; }
        location /conns/   { proxy_pass http://conns; proxy_next_upstream off; }
        location /down/    { proxy_pass http://down; }
        location /placed/  { proxy_pass http://placed; }
        location /lost/    { set \$group lost; proxy_pass http://\$group; }
        location \@sorry   { return 299 "sorry \$request_method"; }
        location /status   { status; }
    }
END
$w->conf($text, workers => 1);
$w->allow_log(qr/falls back|named location|\[emerg\]/);

is $w->get('/breaker/1')->status, 500, 'closed: its own server answers';
my $res = $w->request('POST', '/breaker/2?q', body => 'text');
is $res->body, 'other|POST|/breaker/2?q|breaker|text', 'open: the other group is asked the same';
my $held = $w->client->send_request('GET', '/cap/1');
$slow->wait_requests(1);
is $w->get('/cap/2')->body, 'other|GET|/cap/2|cap|', 'a cap is reached';
is $w->get('/down/1')->body, 'other|GET|/down/1|down|', 'no server may be asked, and its fallback is full: the next one is asked';
$w->pass('-cap-1');
is $held->read_response->body, 'slow', 'who was there first is answered there';
$held = $w->client->send_request('GET', '/conns/1');
$slow->wait_requests(2);
is $w->get('/conns/2')->body, 'other|GET|/conns/2|conns|', 'no connection may be made';
$w->pass('-conns-1');
is $held->read_response->body, 'slow', 'the other one is answered';
$res = $w->request('POST', '/placed/1', body => 'text');
is_deeply [ $res->status, $res->body ], [ 299, 'sorry POST' ], 'a location answers';
is $w->get('/lost/1')->status, 500, 'one that is not there does not';

my $addr = sub ($path) { my ($line) = grep { /^\Q$path\E / } split /\n/, $w->access_log('f.log'); $line =~ s/^\S+ //r };
$w->wait_until('the log is written', sub { $w->access_log('f.log') =~ m{^/lost/1}m });
is $addr->('/breaker/2?q'), "200 breaker : $other", 'who was asked';
is $addr->('/down/1'), "200 down : cap : $other", 'one after another';
is $addr->('/placed/1'), '299 placed', 'and of the location';
my $up = decode_json($w->get('/status')->body)->{upstreams};
is_deeply [ map { $up->{$_}{fallback}{used} } qw(breaker cap conns down placed) ], [ 1, 2, 1, 1, 1 ], 'each is counted';
like $w->error_log, qr/circuit breaker of the group is open.*: falls back from "breaker" to "other"/, 'and logged with why';

for my $case (
    [ 'fallback b; } upstream b { server 127.0.0.1; fallback c; } upstream c { server 127.0.0.1; fallback a;', qr/the fallbacks of upstream "a" come back to it in \S+:\d+/ ],
    [ 'fallback a;',    qr/the fallbacks of upstream "a" come back to it/ ],
    [ 'fallback none;', qr/the fallback "none" of upstream "a" is no upstream block in \S+:\d+/ ],
    [ 'fallback @;',    qr/expected the name of an upstream block or \@location/ ],
) {
    my ($code, $said) = $w->check_conf("upstream a { server 127.0.0.1; $case->[0] } server { }");
    isnt $code, 0, "refused: $case->[0]";
    like $said, $case->[1], 'and why';
}

# A location that is the fallback is there in each server that passes to the group, if that is known.
my $groups = 'upstream a { server 127.0.0.1; fallback b; } upstream b { server 127.0.0.1; fallback @sorry; } '
           . 'upstream c { server 127.0.0.1; }';
my $sorry  = 'location @sorry { return 503; }';
my $lacks  = qr/requests of "\S+" may go to "\@sorry", the fallback of upstream "b": expected a location of that name in this server in \S+:\d+/;
for my $case (
    [ 'location / { proxy_pass http://b; }', "server { listen 127.0.0.1:1; $sorry }" ],
    [ 'location / { proxy_pass http://a; }', '' ],
    [ 'location / { grpc_pass grpc://a; }',  '' ],
    [ 'location / { if ($arg_a) { proxy_pass http://a; } }', '' ],
    [ 'location /x/ { location /x/y { proxy_pass http://a; } }', '' ],
    [ 'location / { proxy_pass http://c weight=1; proxy_pass http://a weight=1; }', '' ],
) {
    my ($passes, $other) = @$case;
    my ($code, $said) = $w->check_conf("$groups server { $passes } $other");
    isnt $code, 0, "refused: $passes";
    like $said, $lacks, 'and why';
    ($code, $said) = $w->check_conf("$groups server { $passes $sorry } $other");
    is $code, 0, 'with the location it is good' or diag $said;
}

done_testing;
