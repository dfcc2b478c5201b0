use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('proxy_buffer_size limits the head of an answer');
my $origin = $w->origin(sub ($c) {
    my ($size) = $c->request->target =~ /(\d+)$/;
    my $head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: \r\n\r\n";
    $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: " . 'x' x ($size - length $head) . "\r\n\r\nbody");
});
$w->allow_log(qr/proxy_busy_buffers_size/);
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    log_format causes '\$request_uri \$status \$weir_cause';
    access_log logs/causes.log causes;
    server {
        location /default/ { proxy_pass http://api; }
        location /small/   { proxy_pass http://api; proxy_buffer_size 1k; }
        location /tiny/    { proxy_pass http://api; proxy_buffer_size 128; }
        location /huge/    { proxy_pass http://api; proxy_buffer_size 1m; proxy_buffers 4 512k; proxy_busy_buffers_size 1m; }
        location /large/   { proxy_pass http://api; proxy_buffer_size 32k; }
    }
END

my $client = $w->client;
is length $client->get("/huge/700000")->header("X"), 700_000 - length("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: \r\n\r\n"), "all of a large head reaches the client";
for my $case ([ default => 8192 ], [ small => 1024 ], [ large => 32768 ], [ tiny => 128 ], [ huge => 1048576 ]) {
    my ($where, $limit) = @$case;
    is $client->get("/$where/$limit")->body, 'body', "$where: a head of $limit bytes";
    is $client->get("/$where/" . ($limit + 1))->status, 502, "$where: a byte more is 502";
    is $w->wait_for_access(qr{^/$where/@{[ $limit + 1 ]} (.*)}m, 'causes.log'), '502 upstream.header.too_large', "$where: with its cause";
}

done_testing;
