# Never a fake end.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an answer cut by the peer is cut for the client');
my %answer = (
    short        => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    'no-chunk'   => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    'in-chunk'   => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this",
    'no-last'    => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
    'no-trailer' => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n0\r\n",
    'in-trailer' => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n0\r\nX: y",
    'bad-size'   => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nxyz\r\n0\r\n\r\n",
    'bad-end'    => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly thisXX0\r\n\r\n",
    'bad-trailer' => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n0\r\nX y\r\n\r\n",
);
my $origin = $w->origin(sub ($c) {
    my ($way, $end, $how) = $c->request->target =~ m{^/([\w-]+)/(\w+)/(\w+)};
    my $text = $answer{$way};
    if ($how eq 'later') {
        my ($head, $rest) = $text =~ /^(.*?\r\n\r\n)(.*)/s;
        $c->raw($head);
        select undef, undef, undef, 0.01;
        $c->raw($rest);
        select undef, undef, undef, 0.01;
    } else {
        $c->raw($text);
    }
    $end eq 'rst' ? $c->reset : $c->close;
});
my $until_close = $w->origin(sub ($c) {
    $c->raw("HTTP/1.1 200 OK\r\n\r\nonly this");
    select undef, undef, undef, 0.02;
    $c->request->target =~ /rst/ ? $c->reset : $c->close;
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    log_format causes '\$request_uri \$weir_cause';
    access_log logs/causes.log causes;
    server {
        location / { proxy_pass http://api; }
        location /until-close { proxy_pass http://$until_close; }
    }
END

for my $way (sort keys %answer) {
    for my $end (qw(fin rst)) {
        my @problems;
        for my $how (qw(atonce later)) {
            my $target = "/$way/$end/$how";
            my $client = $w->client->send_request('GET', $target);
            my $answer = eval { $client->read_response };
            my $error  = $@;
            push @problems, "$how: a whole answer: " . $answer->head if $answer && $answer->status != 502;
            push @problems, "$how: $error" if !$answer && $error !~ /^eof/;
            $client->close;
            my $cause = $w->wait_for_access(qr{^\Q$target\E (\S+)}m, 'causes.log');
            push @problems, "$how: cause $cause" unless $cause =~ /^upstream\.(?:body\.(?:incomplete|malformed)|reset)$/;
        }
        is_deeply \@problems, [], "$way, $end";
    }
}

is $w->get('/until-close')->body, 'only this', 'an answer that ends with the connection ends with it';
my $client = $w->client->send_request('GET', '/until-close/rst');
ok !eval { $client->read_response; 1 }, 'unless that was a reset';
my $old = $w->client->send("GET /until-close/rst HTTP/1.0\r\nHost: x\r\n\r\n");
ok !eval { $old->read_response; 1 }, 'a client of HTTP/1.0 sees that too';
$old = $w->client->send("GET /no-last/fin/later HTTP/1.0\r\nHost: x\r\n\r\n");
ok !eval { $old->read_response; 1 }, 'a chunked answer cut short, to HTTP/1.0: reset, not closed';

done_testing;
