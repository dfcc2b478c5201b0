use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('the usual headers of a proxy are made');
my $origin = $w->echo_origin;
my $port   = $w->port;
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server {
        server_name www.example.com;
        location / {
            proxy_pass http://api;
            proxy_http_version 1.1;
            proxy_set_header Host \$http_host;
            proxy_set_header X-Real-IP \$remote_addr;
            proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto \$scheme;
            proxy_set_header X-Forwarded-Host \$host;
            proxy_set_header X-Forwarded-Port \$server_port;
            proxy_set_header X-Request-ID \$request_id;
            proxy_set_header Connection "";
        }
    }
END

my $client = $w->client;
$client->send_request('GET', '/', host => 'WWW.example.com:81', headers => [ 'X-Forwarded-For', '10.1.1.1' ]);
my $seen = $w->seen($client->read_response);
my %is = ('Host' => 'WWW.example.com:81', 'X-Real-IP' => '127.0.0.1', 'X-Forwarded-For' => '10.1.1.1, 127.0.0.1', 'X-Forwarded-Proto' => 'http',
    'X-Forwarded-Host' => 'www.example.com', 'X-Forwarded-Port' => $port);
is $seen->header($_), $is{$_}, "$_: $is{$_}" for sort keys %is;
like $seen->header('X-Request-ID'), qr/^[0-9a-f]{32}$/, 'X-Request-ID';
is $w->seen($client->get('/'))->header('X-Forwarded-For'), '127.0.0.1', 'X-Forwarded-For alone';

my $old = $w->client->send("GET / HTTP/1.0\r\n\r\n");
$seen = $w->seen($old->read_response);
is $seen->header('Host'), 'api', 'a client of HTTP/1.0 without Host: the peer gets the one of proxy_pass, for 1.1 must have one';
is $seen->header('X-Forwarded-Host'), 'www.example.com', 'and $host is the name of the server';

done_testing;
