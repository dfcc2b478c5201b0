use v5.36;
use lib 't/lib';
use JSON::PP ();
use Weir::Test;

my $w      = Weir::Test->new('a log format says what it is told');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'body from up') });
$w->conf(<<"END");
    log_format plain '\$remote_addr|\$request_method|\$request_uri|\$uri|\$args|\$server_protocol|\$status|\$body_bytes_sent|\$http_x_y|\$sent_http_content_type|\$upstream_status|\$upstream_addr|\$host|\$server_port';
    log_format times '\$request_time \$upstream_response_time \$upstream_connect_time \$upstream_header_time \$msec \$time_iso8601 \$time_local';
    log_format json escape=json '{"ua":"\$http_user_agent","uri":"\$uri"}';
    log_format none escape=none '\$http_user_agent';
    server {
        location / { proxy_pass http://$origin; access_log logs/plain.log plain; access_log logs/times.log times; }
        location /json { return 200 x; access_log logs/json.log json; access_log logs/default.log plain; access_log logs/none.log none; }
        location /off { access_log off; return 200 x; }
    }
END

$w->request('GET', '/a%20b?c=d', headers => [ 'X-Y' => 'value' ]);
my $port = $w->port;
is $w->wait_for_access(qr/^.+\n/, 'plain.log'),
    "127.0.0.1|GET|/a%20b?c=d|/a b|c=d|HTTP/1.1|200|12|value|-|200|$origin|localhost|$port\n", 'variables';
like $w->wait_for_access(qr/^.+\n/, 'times.log'),
    qr{^\d+\.\d{3} \d+\.\d{3} \d+\.\d{3} \d+\.\d{3} \d+\.\d{3} \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d \d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$}, 'times';

$w->request('GET', '/json', headers => [ 'User-Agent' => qq(a"b\\c\xe9d\t) . 'é' ]);
my $json = $w->wait_for_access(qr/^.+\n/, 'json.log');
is eval { JSON::PP->new->decode($json)->{uri} }, '/json', 'JSON that a parser takes' or diag "$json $@";
unlike $json, qr/[\x00-\x09\x0b-\x1f]/, 'on one line without controls';

$w->request('GET', '/off');
$w->request('GET', '/last');
$w->wait_for_access(qr{/last}, 'plain.log');
unlike $w->access_log('plain.log') . $w->access_log, qr{/off}, 'access_log off';

done_testing;
