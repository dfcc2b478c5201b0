# The peer closes a kept connection just as the next request goes out.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a stale kept connection costs a GET nothing');
my $origin = $w->origin(sub ($c) {
    my $target = $c->request->target;
    if ($c->served > 1) {
        $c->note("raced $target");
        return $target =~ /reset/ ? $c->reset : $c->close;
    }
    return $c->close if $target =~ /always/;
    $c->reply(200, $c->number);
});
$w->conf(<<"END", workers => 1);
    log_format attempts '\$request_uri \$status \$upstream_addr \$upstream_status';
    access_log logs/attempts.log attempts;
    upstream api { server $origin; keepalive 4; }
    proxy_next_upstream off;
    server { location / { proxy_pass http://api; } }
END

my $client = $w->client;
is $client->get('/first')->body, 1, 'a connection that is kept';
is $client->get('/close')->body, 2, 'closed in the race: answered over a fresh one';
is $client->get('/reset')->body, 3, 'reset in the race: the same';
is $client->send_request('PUT', '/put', body => 'x')->read_response->body, 4, 'PUT: the same';
is_deeply [ $origin->notes ], [ 'raced /close', 'raced /reset', 'raced /put' ], 'those were races';
is $client->get('/always')->status, 502, 'a fresh one that closes too is a failure';
is scalar(grep { $_ eq 'GET /always' } $origin->lines), 2, 'asked once more, not for ever';
like $w->wait_for_access(qr{^/close (.*)}m, 'attempts.log'), qr/^200 \Q$origin\E 200$/, 'nobody is blamed: one attempt';

done_testing;
