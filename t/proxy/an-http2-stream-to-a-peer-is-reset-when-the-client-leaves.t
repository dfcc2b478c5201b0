use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('an http2 stream to a peer is reset when the client leaves');
my $peer = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $f = $h2->next_frame) {
        if ($f->{type} eq 'HEADERS') {
            my %h = map { @$_ } $f->{fields}->@*;
            $c->note("request $h{':path'}");
            $h2->write(headers($f->{stream}, 'END_HEADERS', ':status' => 200) . data($f->{stream}, 'begun')) if $h{':path'} =~ /begun/;
            $h2->write(headers($f->{stream}, 'END_HEADERS', ':status' => 200) . data($f->{stream}, 'good', 'END_STREAM')) if $h{':path'} =~ /good/;
        }
        $c->note('reset ' . $Weir::Http2::ERRORS[unpack 'N', $f->{payload}]) if $f->{type} eq 'RST_STREAM';
    }
});
$w->conf(<<"END", workers => 1);
    log_format judged '\$uri \$status \$weir_cause'; access_log logs/judged.log judged;
    proxy_http_version 2;
    upstream peers { server $peer max_fails=0; keepalive 4; }
    server { location / { proxy_pass http://peers; } location /short { proxy_pass http://peers; proxy_read_timeout 200ms; } }
END

my $client = $w->client->send_request('GET', '/silent');
$peer->wait_note('request /silent');
$client->close;
$peer->wait_note('reset CANCEL');
pass 'a client that leaves before the answer: the stream is cancelled';
is $w->get('/good')->body, 'good', 'the connection serves on';
is $peer->connections, 1, 'the same';

$client = $w->client->send_request('GET', '/begun');
is $client->read_response_head->status, 200, 'an answer that began';
$client->close;
$w->wait_until('the second reset', sub { 2 == grep { /reset CANCEL/ } $peer->notes });
pass 'a client that leaves within the answer: the stream is cancelled';

is $w->get('/short')->status, 504, 'a peer that says nothing for proxy_read_timeout';
is $w->wait_for_access(qr{^/short 504 (\S+)$}m, 'judged.log'), 'upstream.read.timeout', 'and says which time it was';
$w->wait_until('the third reset', sub { 3 == grep { /reset CANCEL/ } $peer->notes });
is $w->get('/good')->body, 'good', 'costs its stream only';
is $peer->connections, 1, 'still the same connection';

done_testing;
