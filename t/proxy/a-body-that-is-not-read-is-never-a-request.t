# 0.CL: Weir answers for itself (return, error_page, 413, no peer) while the body is still coming.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a body that is not read is never a request');
my $origin = $w->echo_origin;
my $dead   = $w->refused_peer;
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    client_max_body_size 100k;
    lingering_timeout 200ms;
    lingering_time 1s;
    server {
        error_page 403 /page;
        location / { proxy_pass http://api; }
        location /page { return 200 page; }
        location /return { return 200 early; }
        location /redirect { return 302 /elsewhere; }
        location /forbidden { return 403; }
        location /dead { proxy_pass http://$dead; proxy_request_buffering off; }
        location /large { client_max_body_size 10; proxy_pass http://api; }
    }
END

my $inner = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
my %status = (return => 200, redirect => 302, forbidden => qr/^(?:200|403)$/, dead => 502, large => 413);
for my $way (sort keys %status) {
    for my $framing (qw(length chunked)) {
        my $body = $inner x 20;
        my $text = $framing eq 'length' ? 'Content-Length: ' . length($body) . "\r\n\r\n$body"
            : "Transfer-Encoding: chunked\r\n\r\n" . join('', map { sprintf "%x\r\n%s\r\n", length, $_ } unpack '(a100)*', $body) . "0\r\n\r\n";
        $text = "POST /$way HTTP/1.1\r\nHost: localhost\r\n$text";
        my $head = index($text, "\r\n\r\n") + 4;
        my @wrong;
        for my $at ($head, $head + 1, $head + 50, $head + 400, length($text) - 1, length $text) {
            my $client = $w->client;
            $client->send(substr $text, 0, $at);
            select undef, undef, undef, 0.002;
            my $first = $at == length $text || $way ne 'large' || $framing eq 'length' ? $client->read_response : undef;
            $client->send(substr($text, $at) . "GET /next HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            my @answers = ($first // (), $client->read_responses);
            $client->close;
            push @wrong, "$at: status " . $answers[0]->status unless $answers[0]->status =~ (ref $status{$way} ? $status{$way} : qr/^$status{$way}$/);
            push @wrong, "$at: " . @answers . ' answers' if @answers > 2;
            push @wrong, "$at: kept and not served" if @answers == 1 && $answers[0]->is_kept;
        }
        is_deeply \@wrong, [], "$way, $framing";
    }
}
is scalar(grep { /smuggled/ } $origin->lines), 0, 'nothing of a body became a request';

done_testing;
