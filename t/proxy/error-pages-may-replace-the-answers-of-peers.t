# proxy_intercept_errors
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('error pages may replace the answers of peers');
my $origin = $w->origin(sub ($c) { my ($status) = $c->request->target =~ m{(\d+)}; $c->reply($status // 200, 'of the peer', 'X-Peer', 'yes') });
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    log_format causes '\$request_uri \$status \$weir_cause \$upstream_status';
    access_log logs/causes.log causes;
    server {
        error_page 404 /pages/404;
        error_page 503 =200 /pages/calm;
        error_page 500 = \@named;
        location /on/  { proxy_pass http://api; proxy_intercept_errors on; }
        location /off/ { proxy_pass http://api; }
        location /pages/404  { return 404 'page for not found'; }
        location /pages/calm { return 200 'all is well'; }
        location \@named     { return 418 'named'; }
    }
END

my $client = $w->client;
my $answer = $client->get('/off/404');
is $answer->body, 'of the peer', 'off: the peer speaks for itself';
$answer = $client->get('/on/404');
is $answer->status, 404, 'on: the status stays';
is $answer->body, 'page for not found', 'the page is ours';
is $answer->header('X-Peer'), undef, "and none of the peer's fields";
is $w->wait_for_access(qr{^/on/404 (.*)}m, 'causes.log'), '404 upstream.status 404', 'the log tells both';
$answer = $client->get('/on/503');
is join(' ', $answer->status, $answer->body), '200 all is well', 'another status';
$answer = $client->get('/on/500');
is join(' ', $answer->status, $answer->body), '418 named', 'a named location';
is $client->get('/on/403')->body, 'of the peer', 'a status without a page is passed on';
is $client->get('/on/200')->body, 'of the peer', 'so is success';

done_testing;
