# proxy_next_upstream, kind by kind.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('each kind of failure asks another peer only when told');
my $bad  = $w->origin(sub ($c) {
    my ($way) = $c->request->target =~ m{/(\w+)$};
    return $c->reply($way, "was $way") if $way =~ /^\d+$/;
    return $c->close                   if $way eq 'closes';
    return $c->reset                   if $way eq 'resets';
    return $c->wait_for('end')         if $way eq 'silent';
    return $c->raw("HTTP/1.1 2x0 OK\r\n\r\n") && $c->close if $way eq 'malformed';
    return $c->raw("HTTP/1.1 200 OK\r\nX: " . 'y' x 70_000 . "\r\n\r\n") && $c->close if $way eq 'large';
});
my $good = $w->origin(sub ($c) { $c->reply(200, 'good') });
my @kinds = qw(error timeout invalid_header http_500 http_502 http_503 http_504 http_403 http_404 http_429 off);
# Only a peer that is silent by intention meets a short limit.
my $locations = join '', map {
    "location /$_/ { proxy_next_upstream $_; proxy_pass http://api; }\n"
        . "location /$_/silent { proxy_next_upstream $_; proxy_read_timeout 300ms; proxy_pass http://api; }\n"
} @kinds;
$w->conf(<<"END", workers => 1);
    upstream api { server $bad max_fails=0; server $good backup; keepalive 0; }
    server {
        $locations
        location /default/ { proxy_pass http://api; }
        location /default/silent { proxy_read_timeout 300ms; proxy_pass http://api; }
    }
END

my %is_kind_of = (
    closes => 'error', resets => 'error', silent => 'timeout', malformed => 'invalid_header', large => 'invalid_header',
    map { $_ => "http_$_" } 500, 502, 503, 504, 403, 404, 429,
);
my %own_status = (closes => 502, resets => 502, silent => 504, malformed => 502, large => 502);
my $client = $w->client;
for my $way (sort keys %is_kind_of) {
    my $kind = $is_kind_of{$way};
    is $client->get("/$kind/$way")->body, 'good', "$kind: $way goes to the next";
    my ($other) = grep { $_ ne $kind } $kind eq 'timeout' ? 'error' : 'timeout';
    my $status = $own_status{$way} // $way;
    is $client->get("/$_/$way")->status, $status, "$_: $way stays $status" for $other, 'off';
    is $client->get("/default/$way")->status, $kind =~ /^(?:error|timeout)$/ ? 200 : $status, "default: $way";
}
$w->pass('end');

done_testing;
