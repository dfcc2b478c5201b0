use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('upstream variables tell every attempt');
my $dead   = $w->refused_peer;
my $closes = $w->origin(sub ($c) { $c->close });
my $busy   = $w->origin(sub ($c) { $c->reply(503, 'busy') });
my $good   = $w->origin(sub ($c) { $c->reply(200, 'good', 'X-Who', 'me', 'Set-Cookie', 'sid=abc; Path=/') });
$w->conf(<<"END", workers => 1);
    upstream api { server $dead max_fails=0; server $closes max_fails=0; server $busy max_fails=0; server $good max_fails=0; }
    log_format tell '\$request_uri|\$upstream_addr|\$upstream_status|\$upstream_connect_time|\$upstream_header_time|\$upstream_response_time|\$upstream_response_length|\$upstream_bytes_received|\$upstream_bytes_sent|\$upstream_http_x_who|\$upstream_cookie_sid|\$weir_cause';
    access_log logs/tell.log tell;
    proxy_next_upstream error http_503;
    server {
        location / { proxy_pass http://api; }
        location /none { return 200 ok; }
    }
END

is $w->get('/all')->body, 'good', 'the fourth answered';
my ($addr, $status, $connect, $header, $response, $length, $received, $sent, $who, $cookie, $cause)
    = split /\|/, $w->wait_for_access(qr{^/all\|(.*)}m, 'tell.log'), -1;
is $addr, "$dead, $closes, $busy, $good", 'addresses';
is $status, '502, 502, 503, 200', 'statuses';
my $t = qr/\d+\.\d{3}/;
like $connect, qr/^-, $t, $t, $t$/, "connect times: $connect";
like $header, qr/^-, -, $t, $t$/, "header times: $header";
like $response, qr/^$t, $t, $t, $t$/, "response times: $response";
like $length, qr/^0, 0, \d, 4$/, "lengths: $length";
like $received, qr/^0, 0, \d+, \d+$/, "received: $received";
like $sent, qr/^0, (\d\d+), \1, \1$/, "sent: $sent";
is $who, 'me', 'a field of the last';
is $cookie, 'abc', 'a cookie of the last';
is $cause, '-', 'no cause: Weir did not answer' or diag $cause;

$w->get('/none');
is $w->wait_for_access(qr{^/none\|(.*)}m, 'tell.log'), join('|', ('-') x 11), 'nobody was asked: a dash each';

done_testing;
