# hedge over HTTP/2: the loser's stream is reset with CANCEL and its connection serves on; trailers and heads that come in one turn; a kept connection
# that is closed meanwhile.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep);
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('a second try over http2 is cancelled by its stream')->needs_weir;
# /NAME/…: who answers; the others are silent.  /both: both do, when told.
my $peer = sub ($name) {
    $w->peer(sub ($c) {
        my $h2 = Weir::Http2::serve($c);
        while (my $f = $h2->next_frame) {
            if ($f->{type} eq 'HEADERS') {
                my %h = map { @$_ } $f->{fields}->@*;
                $c->note("request $h{':path'}");
                $c->wait_for('both') if $h{':path'} eq '/both';
                sleep($name eq 'one' ? 0.2 : 0.5) if $h{':path'} eq '/bad';
                $h2->write(headers($f->{stream}, 'END_HEADERS', ':status' => 503, 'x-last' => 'no') . data($f->{stream}, 'x') . headers($f->{stream}, 'END_HEADERS END_STREAM', 'x-last' => "bad $name"))
                    if $h{':path'} eq '/bad' && $name eq 'one';
                $h2->write(headers($f->{stream}, 'END_HEADERS', ':status' => 200) . data($f->{stream}, $name) . headers($f->{stream}, 'END_HEADERS END_STREAM', 'x-last' => $name))
                    if $h{':path'} =~ m{^/(?:$name|both)} || ($h{':path'} eq '/bad' && $name eq 'two');
            }
            $c->note('reset ' . $Weir::Http2::ERRORS[unpack 'N', $f->{payload}]) if $f->{type} eq 'RST_STREAM';
        }
    });
};
my @at = map { $peer->($_) } 'one', 'two';
my $h1 = sub ($name) { $w->origin(sub ($c) { return $c->close if $c->request->target eq '/race' && $c->served > 1; if ($c->request->target eq '/both') { $c->note('asked'); $c->wait_for('h1') } $c->reply(200, $name) }) };
my @h1 = map { $h1->($_) } 'one', 'two';
$w->allow_log(qr/upstream/);
$w->conf(<<"END", workers => 1);
    upstream peers { server $at[0] max_fails=0; server $at[1] max_fails=0; keepalive 4; }
    upstream h1 { server $h1[0] max_fails=0; server $h1[1] max_fails=0; keepalive 4; }
    server {
        proxy_pass_trailers on;
        add_header X-Tries \$upstream_status always;
        hedge after=100ms budget=100%;
        location / { proxy_http_version 2; proxy_pass http://peers; }
        location /h1/ { proxy_pass http://h1/; }
        location = /status { status; }
    }
END
my $resets = sub { scalar grep { /^reset CANCEL/ } map { $_->notes } @at };
my $get = sub ($path) { $w->request('GET', $path, headers => [ TE => 'trailers' ]) };
# Turns: who is asked first answers when told, the other one otherwise.
my $answer = $get->('/two');
is $answer->body . ' ' . $answer->header('X-Tries'), 'two -, 200', 'the second one answers';
is scalar $answer->trailer('X-Last'), 'two', 'with its trailers';
$w->wait_until('the stream is cancelled', sub { $resets->() == 1 });
$answer = $get->('/two');
is $answer->body . ' ' . $answer->header('X-Tries'), 'two 200', 'the next turn is the other one\'s: it answers at once';
$answer = $get->('/two');
is $answer->body . ' ' . $answer->header('X-Tries'), 'two -, 200', 'and again';
$w->wait_until('the stream is cancelled', sub { $resets->() == 2 });
is $_->connections, 1, 'each serves on one connection' for @at;
is $get->('/two')->body, 'two', '(one turn)';

# both answer while the worker is stopped: it finds both at once
for my $case ([ '/both', 'both', \@at, 'request /both' ], [ '/h1/both', 'h1', \@h1, 'asked' ]) {
    my ($path, $go, $peers, $note) = @$case;
    my $client = $w->client->send_request('GET', $path, headers => [ TE => 'trailers' ]);
    $_->wait_note($note) for @$peers;
    $w->stop_workers;
    $w->pass($go);
    sleep 0.2;
    $w->continue_workers;
    $answer = $client->read_response;
    like $answer->body . ' ' . $answer->header('X-Tries'), qr/^(?:one|two) (?:-, 200|200, -)$/, "$path: both answer in one turn: one of them is the client's";
    is scalar $answer->trailer('X-Last'), $answer->body, "$path: with its own trailers" if $go eq 'both';
}
is decode_json($w->get('/status')->body)->{upstreams}{h1}{peers}{"$_"}{fails}, 0, 'nobody is blamed' for @h1;

# an error with trailers comes first, whoever's turn it is: nothing of it is left
for (1 .. 2) {
    $answer = $get->('/bad');
    is $answer->status . ' ' . $answer->body . ' ' . $answer->trailer('X-Last'), '200 two two', 'an error that comes first leaves it to the other try';
    like $answer->header('X-Tries'), qr/^(?:503, 200|200, 503)$/, 'and is told';
}

# a kept connection that the peer closes
my $client = $w->client;
$client->get('/h1/warm') for 1 .. 2;
is $client->get('/h1/race')->status, 200, 'a race costs nothing';

done_testing;
